#pragma once
// Clang's thread-safety analysis, and the two things it needs from us: a mutex it understands, and ThreadRole, the
// capability "this is the thread that owns these members". Clang builds with -Wthread-safety -Werror.

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define TERN_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define TERN_THREAD_ATTRIBUTE(x)
#endif

#define TERN_CAPABILITY(name) TERN_THREAD_ATTRIBUTE(capability(name))
#define TERN_SCOPED_CAPABILITY TERN_THREAD_ATTRIBUTE(scoped_lockable)
#define TERN_GUARDED_BY(x) TERN_THREAD_ATTRIBUTE(guarded_by(x))
#define TERN_PT_GUARDED_BY(x) TERN_THREAD_ATTRIBUTE(pt_guarded_by(x))
#define TERN_REQUIRES(...) TERN_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define TERN_EXCLUDES(...) TERN_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define TERN_ACQUIRE(...) TERN_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define TERN_TRY_ACQUIRE(...) TERN_THREAD_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define TERN_RELEASE(...) TERN_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define TERN_ASSERT_CAPABILITY(x) TERN_THREAD_ATTRIBUTE(assert_capability(x))
#define TERN_RETURN_CAPABILITY(x) TERN_THREAD_ATTRIBUTE(lock_returned(x))
#define TERN_NO_THREAD_SAFETY_ANALYSIS TERN_THREAD_ATTRIBUTE(no_thread_safety_analysis)

namespace tern {

/// std::mutex that the analysis knows. Lock it with MutexLock.
class TERN_CAPABILITY("mutex") Mutex {
 public:
  void lock() TERN_ACQUIRE() { mutex_.lock(); }
  void unlock() TERN_RELEASE() { mutex_.unlock(); }
  bool try_lock() TERN_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

class TERN_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) TERN_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() TERN_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// A role that one thread plays at a time ("flush", "upkeep", "io 3"). It holds nothing at run time: assert_held()
/// tells the analysis that the caller is that thread, which whoever runs the thread's step function knows.
class TERN_CAPABILITY("role") ThreadRole {
 public:
  void assert_held() const TERN_ASSERT_CAPABILITY(this) {}
};

}  // namespace tern
