#include "tern/base/check.hpp"
#include "tern/message/batch.hpp"

#include "fuzz/fuzz.hpp"

// The items of a body that is accepted to its end fill it exactly.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::message;
  BatchReader reader(tern::fuzz::bytes_of(data, size));
  std::size_t sum = 0;
  while (const auto item = reader.next()) {
    if (!*item) {
      TERN_CHECK(!reader.next().has_value());
      return 0;
    }
    tern::fuzz::touch((*item)->body);
    tern::fuzz::touch((*item)->properties);
    sum += kBatchItemSizeMin + (*item)->body.size() + (*item)->properties.size();
  }
  TERN_CHECK(sum == size, "{} of {}", sum, size);
  return 0;
}
