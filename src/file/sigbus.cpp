#include "tern/file/sigbus.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <signal.h>
#include <string_view>
#include <unistd.h>

#include "tern/base/check.hpp"

#include "file/live_windows.hpp"

namespace tern::file {
namespace {

// begin == kFree: nobody's. begin == kClaimed: somebody fills it in. Otherwise the other members are valid: they are
// stored before begin (release) and read after it (acquire).
struct Slot {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  std::atomic<std::int64_t> file_position{0};
  std::atomic<const char*> path{nullptr};
};
constexpr std::uintptr_t kFree = 0;
constexpr std::uintptr_t kClaimed = 1;
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

constinit std::array<Slot, kLiveWindowsMax> slots;
constinit std::atomic<std::size_t> next_slot{0};  // relaxed: where to begin to search

/// A line built without allocation, cut off when it is full.
class Line {
 public:
  void add(std::string_view text) noexcept {
    const auto size = std::min(text.size(), text_.size() - size_);
    std::memcpy(text_.data() + size_, text.data(), size);
    size_ += size;
  }
  void add(std::uint64_t number) noexcept {
    std::array<char, 20> digits;
    auto at = digits.size();
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    add({digits.data() + at, digits.size() - at});
  }
  void print() const noexcept { [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text_.data(), size_); }

 private:
  std::array<char, 4352> text_;  // PATH_MAX and the words around it
  std::size_t size_ = 0;
};

void describe(std::uintptr_t address, Line& line) noexcept {
  for (const auto& slot : slots) {
    const auto begin = slot.begin.load(std::memory_order_acquire);
    if (begin == kFree || begin == kClaimed || address < begin) continue;
    if (address >= slot.end.load(std::memory_order_relaxed)) continue;
    const auto position = slot.file_position.load(std::memory_order_relaxed);
    const auto* path = slot.path.load(std::memory_order_relaxed);
    // Keeps the look at begin behind the loads before it.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (slot.begin.load(std::memory_order_relaxed) != begin) continue;  // another window's, by now
    line.add(path);
    line.add(" at ");
    line.add(static_cast<std::uint64_t>(position) + (address - begin));
    return;
  }
  line.add("memory that is no file window of ours");
}

// The signal is blocked while its handler runs, so the raised one waits and strikes as the handler returns, with the
// faulting instruction still in the program counter for the core dump. Returning alone would not do: if the fault has
// gone meanwhile (space was freed), the process would live on.
void on_sigbus(int signal, siginfo_t* info, void*) noexcept {
  const auto saved = errno;
  Line line;
  line.add("SIGBUS in ");
  if (info->si_code > 0) {
    describe(reinterpret_cast<std::uintptr_t>(info->si_addr), line);
  } else {
    line.add("no memory: another process sent it");
  }
  line.add("\n");
  line.print();
  ::signal(signal, SIG_DFL);
  ::raise(signal);
  errno = saved;
}

}  // namespace

LiveWindow::LiveWindow(const std::byte* begin, std::size_t size, std::int64_t file_position, const char* path) noexcept
    : slot_(kLiveWindowsMax) {
  const auto start = next_slot.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < kLiveWindowsMax; ++i) {
    const auto at = (start + i) % kLiveWindowsMax;
    auto& slot = slots[at];
    auto expected = kFree;
    if (!slot.begin.compare_exchange_strong(expected, kClaimed, std::memory_order_acq_rel)) continue;
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    slot.end.store(address + size, std::memory_order_relaxed);
    slot.file_position.store(file_position, std::memory_order_relaxed);
    slot.path.store(path, std::memory_order_relaxed);
    slot.begin.store(address, std::memory_order_release);
    slot_ = at;
    return;
  }
}

LiveWindow::~LiveWindow() {
  if (slot_ != kLiveWindowsMax) slots[slot_].begin.store(kFree, std::memory_order_release);
}

void name_sigbus() {
  struct sigaction action = {};
  action.sa_sigaction = &on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  TERN_CHECK(::sigaction(SIGBUS, &action, nullptr) == 0, "errno {}", errno);
}

}  // namespace tern::file
