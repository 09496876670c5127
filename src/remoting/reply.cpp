#include <utility>

#include "tern/remoting/request.hpp"

namespace tern::remoting {

Reply& Reply::operator=(Reply&& other) noexcept {
  if (this != &other) {
    Reply old(std::move(*this));  // answers, if it still owes one
    sink_ = std::move(other.sink_);
    opaque_ = other.opaque_;
    is_one_way_ = other.is_one_way_;
  }
  return *this;
}

Reply::~Reply() {
  if (sink_ != nullptr)
    (*this)(protocol::refuse(protocol::ResponseCode::kSystemError, "the request was dropped without an answer"));
}

void Reply::operator()(protocol::Response response) {
  const auto sink = std::move(sink_);
  if (sink != nullptr && !is_one_way_) sink->answer(opaque_, std::move(response));
}

void Reply::forget() {
  const auto sink = std::move(sink_);
  if (sink != nullptr && !is_one_way_) sink->forgotten();
}

}  // namespace tern::remoting
