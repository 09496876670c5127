#pragma once
// Rows: which function answers which request code. A capability lists its rows in its processors.cpp; a server joins
// the lists into one table.
//
// A function names what it needs as parameters and gets it from the server's services:
//   immediate:  Response f(const Request&, A&, const B&)          returns its answer
//   deferred:   void     f(const Request&, Reply, A&, const B&)   answers later, or stages records into its io thread's
//   batch
// Services provides `template <class T> T& get(const Request&)` for each A, B.

#include <algorithm>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tern/base/check.hpp"
#include "tern/remoting/request.hpp"

namespace tern::remoting {

template <class Services>
using ProcessorFunction = void (*)(Services&, const Request&, Reply&&);

template <class Services>
struct ProcessorRow {
  protocol::RequestCode code;
  std::string_view name;
  ProcessorFunction<Services> run;
  bool on_fast_listener = true;
};

namespace detail {

template <auto Function>
struct Kind;

template <class... Needs, protocol::Response (*Function)(const Request&, Needs&...)>
struct Kind<Function> {
  template <class Services>
  static void run(Services& services, const Request& request, Reply&& reply) {
    reply(Function(request, services.template get<std::remove_const_t<Needs>>(request)...));
  }
};

template <class... Needs, void (*Function)(const Request&, Reply, Needs&...)>
struct Kind<Function> {
  template <class Services>
  static void run(Services& services, const Request& request, Reply&& reply) {
    Function(request, std::move(reply), services.template get<std::remove_const_t<Needs>>(request)...);
  }
};

}  // namespace detail

/// {RequestCode::kHeartBeat, "heart_beat", processor<&heart_beat>}
template <auto Function>
struct ProcessorOf {
  template <class Services>
  constexpr operator ProcessorFunction<Services>() const {
    return &detail::Kind<Function>::template run<Services>;
  }
};
template <auto Function>
inline constexpr ProcessorOf<Function> processor{};

/// All rows of a server. Two rows of one code are a broken invariant. Constant after construction.
template <class Services>
class ProcessorTable {
 public:
  explicit ProcessorTable(std::span<const std::span<const ProcessorRow<Services>>> lists) {
    for (const auto list : lists) rows_.insert(rows_.end(), list.begin(), list.end());
    std::sort(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) { return a.code < b.code; });
    const auto twice =
        std::adjacent_find(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) { return a.code == b.code; });
    TERN_CHECK(twice == rows_.end(), "request code {} has two rows", static_cast<int>(twice->code));
  }
  [[nodiscard]] const ProcessorRow<Services>* find(std::int32_t code) const {
    const auto row = std::lower_bound(rows_.begin(), rows_.end(), code, [](const auto& a, std::int32_t b) {
      return static_cast<std::int32_t>(a.code) < b;
    });
    return row != rows_.end() && static_cast<std::int32_t>(row->code) == code ? &*row : nullptr;
  }
  /// Runs the row of the request's code, or answers REQUEST_CODE_NOT_SUPPORTED as Apache's servers do.
  void dispatch(Services& services, const Request& request, Reply reply) const {
    const auto* row = find(request.header.code);
    if (row == nullptr || (request.listener == Listener::kFast && !row->on_fast_listener)) {
      reply(protocol::refuse(protocol::ResponseCode::kRequestCodeNotSupported, " request type {} not supported",
                             request.header.code));
      return;
    }
    row->run(services, request, std::move(reply));
  }
  [[nodiscard]] std::span<const ProcessorRow<Services>> rows() const { return rows_; }

 private:
  std::vector<ProcessorRow<Services>> rows_;
};

}  // namespace tern::remoting
