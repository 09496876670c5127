#pragma once
// Where a Reply goes when there is no connection.

#include <memory>
#include <optional>
#include <string>

#include "tern/remoting/request.hpp"

namespace tern::test {

class CapturedReply final : public remoting::Reply::Sink {
 public:
  void answer(std::int32_t /*opaque*/, protocol::Response response) override { response_ = std::move(response); }
  [[nodiscard]] bool has_answer() const { return response_.has_value(); }
  [[nodiscard]] const protocol::Response& response() const { return response_.value(); }
  [[nodiscard]] int code() const { return response().code; }
  [[nodiscard]] std::string body() const { return response().body.to_string(); }
  [[nodiscard]] std::string fields() const { return std::string(response().fields.json()); }

 private:
  std::optional<protocol::Response> response_;
};

}  // namespace tern::test
