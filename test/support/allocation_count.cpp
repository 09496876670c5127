// Preloaded into a program, counts what it allocates: in a number that the file named by TERN_ALLOCATION_COUNT holds
// (eight bytes, this machine's order), so that whoever maps or reads the file can tell at any time. operator new comes
// through malloc.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

extern "C" {
void* __libc_malloc(std::size_t size);                           // NOLINT: glibc's names
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT
void* __libc_realloc(void* old, std::size_t size);               // NOLINT
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT
}

namespace {

using Count = std::atomic<std::uint64_t>;
Count before_the_file{0};
// Set once, before there are threads; released and acquired because nothing says so to those that come later.
std::atomic<Count*> count{&before_the_file};

__attribute__((constructor)) void map_the_file() {
  const char* path = std::getenv("TERN_ALLOCATION_COUNT");
  if (path == nullptr) return;
  const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, sizeof(Count)) != 0) std::abort();
  void* bytes = ::mmap(nullptr, sizeof(Count), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (bytes == MAP_FAILED) std::abort();
  ::close(file);
  count.store(static_cast<Count*>(bytes), std::memory_order_release);
}

void note() {
  count.load(std::memory_order_acquire)->fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  note();
  return __libc_malloc(size);
}

void* calloc(std::size_t number, std::size_t size) {
  note();
  return __libc_calloc(number, size);
}

void* realloc(void* old, std::size_t size) {
  note();
  return __libc_realloc(old, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** to, std::size_t alignment, std::size_t size) {
  note();
  *to = __libc_memalign(alignment, size);
  return *to != nullptr ? 0 : 12;  // ENOMEM
}

}  // extern "C"
