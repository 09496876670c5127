#pragma once
// The parts of Asio this room uses, with the executor spelled out: the type-erased default costs an indirect call per
// operation and an allocation now and then.

#include <chrono>
#include <cstddef>
#include <new>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace tern::remoting {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using Resolver = asio::ip::basic_resolver<Tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// Room for one pending operation, so that waiting again costs no allocation: Asio's own cache lives on the stack of
/// run(), and a turn loop leaves run_one() after each handler. An operation that does not fit comes from the heap.
class OperationSlot {
 public:
  OperationSlot() = default;
  OperationSlot(const OperationSlot&) = delete;
  OperationSlot& operator=(const OperationSlot&) = delete;

  void* allocate(std::size_t size) {
    if (in_use_ || size > sizeof(room_)) return ::operator new(size);
    in_use_ = true;
    return room_;
  }
  void deallocate(void* operation) {
    if (operation == room_) {
      in_use_ = false;
    } else {
      ::operator delete(operation);
    }
  }

 private:
  alignas(std::max_align_t) std::byte room_[128];
  bool in_use_ = false;
};

template <class T>
class SlotAllocator {
 public:
  using value_type = T;
  explicit SlotAllocator(OperationSlot& slot) : slot_(&slot) {}
  template <class U>
  SlotAllocator(const SlotAllocator<U>& other) : slot_(other.slot_) {}  // NOLINT: allocators convert
  T* allocate(std::size_t count) { return static_cast<T*>(slot_->allocate(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t) { slot_->deallocate(memory); }
  friend bool operator==(const SlotAllocator& a, const SlotAllocator& b) { return a.slot_ == b.slot_; }

 private:
  template <class U>
  friend class SlotAllocator;
  OperationSlot* slot_;
};

/// A completion handler whose operation lives in a slot.
template <class Function>
class InSlot {
 public:
  using allocator_type = SlotAllocator<void>;
  InSlot(OperationSlot& slot, Function function) : slot_(&slot), function_(std::move(function)) {}
  [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(*slot_); }
  template <class... Args>
  void operator()(Args&&... args) {
    function_(std::forward<Args>(args)...);
  }

 private:
  OperationSlot* slot_;
  Function function_;
};

}  // namespace tern::remoting
