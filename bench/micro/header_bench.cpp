// What the header of a send costs in both codecs: decoded, its fields read, and the answer's header encoded (always
// JSON). The bytes are those of a Java producer's SEND_MESSAGE_V2. That none of it allocates, protocol_test shows.
//   header_bench --benchmark_repetitions=7

#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "tern/base/check.hpp"
#include "tern/protocol/command.hpp"
#include "tern/protocol/frame.hpp"

#include "broker/send/send_target.hpp"

namespace tern::protocol {
namespace {

std::string send_frame(HeaderType type) {
  const std::vector<NamedField> fields{
      {"a", "bench-producers"},
      {"b", "bench-topic"},
      {"c", "TBW102"},
      {"d", "4"},
      {"e", "3"},
      {"f", "0"},
      {"g", "1732694400123"},
      {"h", "0"},
      {"i",
       "UNIQ_KEY\x01"
       "7F00000100002A139F5F1B2C3D4E0001\x02WAIT\x01true\x02TAGS\x01TagA\x02KEYS\x01key-000123\x02"},
      {"j", "0"},
      {"k", "false"},
      {"l", "0"},
      {"m", "false"},
      {"n", "broker-a"}};
  return encode_frame(type, static_cast<std::int32_t>(RequestCode::kSendMessageV2), 0, 4711, fields, {});
}

std::span<const std::byte> header_of(const std::string& frame) {
  return std::as_bytes(std::span(frame)).subspan(kFramePrefixSize);
}

Response answer() {
  auto response = ok();
  response.fields.add("msgId", "7F00000100002A9F0000000000012345");
  response.fields.add("queueId", 3);
  response.fields.add("queueOffset", 123'456);
  response.fields.add("MSG_REGION", "DefaultRegion");
  response.fields.add("TRACE_ON", "true");
  return response;
}

void decode(benchmark::State& state, HeaderType type, bool answers) {
  const auto frame = send_frame(type);
  HeaderDecoder decoder;
  CommandHeader header;
  std::string out;
  const auto round = [&] {
    TERN_CHECK(decoder.decode(type, header_of(frame), header), "decode");
    const auto fields = broker::decode_send(header, broker::SendNames::kShort);
    TERN_CHECK(fields, "fields");
    benchmark::DoNotOptimize(fields->queue_id);
    if (!answers) return;
    out.clear();
    encode_header(answer(), kFlagResponse, header.opaque, out);
    benchmark::DoNotOptimize(out.data());
  };
  round();
  for ([[maybe_unused]] const auto turn : state) round();
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(frame.size()));
}
BENCHMARK_CAPTURE(decode, json, HeaderType::kJson, false);
BENCHMARK_CAPTURE(decode, binary, HeaderType::kRocketmq, false);
BENCHMARK_CAPTURE(decode, json_and_answer, HeaderType::kJson, true);
BENCHMARK_CAPTURE(decode, binary_and_answer, HeaderType::kRocketmq, true);

}  // namespace
}  // namespace tern::protocol
