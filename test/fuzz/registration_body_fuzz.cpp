#include "fuzz/fuzz.hpp"
#include "nameserver/registration_body.hpp"

// What a broker says of itself, in each form. The first byte chooses the form, so that one corpus serves all.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  if (size == 0) return 0;
  const auto form = static_cast<nameserver::BodyForm>(data[0] % 3);
  const bool has_mappings = (data[0] & 4) != 0;
  const auto decoded = nameserver::decode_registration(fuzz::bytes_of(data + 1, size - 1), form, has_mappings);
  if (decoded) {
    for (const auto& [topic, queue] : decoded->queues) fuzz::touch(topic);
    for (const auto& mapping : decoded->mappings) fuzz::touch(mapping.broker);
  }
  return 0;
}
