#include "tern/message/record.hpp"

#include <gtest/gtest.h>

#include "message/bytes.hpp"

namespace tern::message {
namespace {

// A record as Apache's broker 5.5.0 wrote it.
std::string golden_record() {
  return from_hex(
             "000000d3 daa320a7 3610a686 00000000 00000000 0000000000000000 0000000000000000 00000000 000001a202a69e92"
             "7f000001 0000e92e 000001a202a69eaa 7f000001 00005597 00000000 0000000000000000 00000005 68656c6c6f"
             "02 5441 0071") +
         "MSG_REGION\x01"
         "DefaultRegion\x02"
         "UNIQ_KEY\x01"
         "7F000001ABCD18B4AAC2000000000001\x02"
         "CLUSTER\x01"
         "VC\x02"
         "TAGS\x01"
         "TagA\x02"
         "KEYS\x01"
         "k1 k2\x02"
         "TRACE_ON\x01"
         "true\x02";
}

RecordParts some_parts(std::string_view topic = "TopicTest") {
  static const std::string body = "some body";
  RecordParts parts;
  parts.topic = topic;
  parts.queue_id = 3;
  parts.flag = -5;
  parts.sys_flag = kSysCompressed | kSysTransactionCommit;
  parts.born_timestamp = 1'700'000'000'001;
  parts.born_host = *parse_host("10.1.2.3", 54321);
  parts.store_host = *parse_host("10.4.5.6", 10911);
  parts.reconsume_times = 2;
  parts.prepared_transaction_offset = 4'000'000'000;
  parts.body = view(body);
  parts.properties =
      "A\x01"
      "1\x02";
  return parts;
}

Errc code_of(const std::string& bytes, BodyCheck check = BodyCheck::kVerifyCrc) {
  const auto record = parse_record(view(bytes), check);
  EXPECT_FALSE(record.has_value());
  return record.has_value() ? Errc{} : static_cast<Errc>(record.error().code.value());
}

TEST(Record, OfApachesBrokerIsRead) {
  const std::string bytes = golden_record();
  ASSERT_EQ(bytes.size(), 211U);
  const auto record = parse_record(view(bytes), BodyCheck::kVerifyCrc);
  ASSERT_TRUE(record) << record.error().text();
  EXPECT_EQ(record->total_size, 211);
  EXPECT_EQ(record->magic, kMagicV1);
  EXPECT_EQ(record->body_crc, 907060870);
  EXPECT_EQ(record->queue_id, 0);
  EXPECT_EQ(record->physical_offset, 0);
  EXPECT_EQ(record->born_timestamp, 0x1a202a69e92);
  EXPECT_EQ(record->born_host.text(), "127.0.0.1:59694");
  EXPECT_EQ(record->store_timestamp, 0x1a202a69eaa);
  EXPECT_EQ(record->store_host.text(), "127.0.0.1:21911");
  EXPECT_EQ(text(record->body), "hello");
  EXPECT_EQ(record->topic, "TA");
  EXPECT_EQ(record->properties.size(), 0x71U);
}

TEST(Record, OfApachesBrokerIsWrittenByteForByte) {
  const std::string bytes = golden_record();
  const auto record = parse_record(view(bytes), BodyCheck::kSkip);
  ASSERT_TRUE(record);
  RecordParts parts;
  parts.topic = record->topic;
  parts.born_timestamp = record->born_timestamp;
  parts.born_host = record->born_host;
  parts.store_host = record->store_host;
  parts.body = record->body;
  parts.properties = record->properties;
  EXPECT_EQ(encode_record(parts, 0, 0, record->store_timestamp), bytes);
}

// Every combination of address kinds and topic length encodings.
TEST(Record, ComesBackAsItWasWritten) {
  const std::string longest_v1(127, 't');
  const std::string shortest_v2(128, 't');
  const std::string longest_v2(32'767, 't');
  for (const std::string_view topic : {std::string_view("T"), std::string_view(longest_v1),
                                       std::string_view(shortest_v2), std::string_view(longest_v2)}) {
    for (const char* born : {"1.2.3.4", "2001:db8::1"}) {
      for (const char* store : {"5.6.7.8", "2001:db8::2"}) {
        RecordParts parts = some_parts(topic);
        parts.born_host = *parse_host(born, 1111);
        parts.store_host = *parse_host(store, 2222);
        const std::string bytes = encode_record(parts, 77, 88'888'888'888, 99);
        EXPECT_EQ(static_cast<std::int64_t>(bytes.size()), record_size(parts));

        const auto record = parse_record(view(bytes), BodyCheck::kVerifyCrc);
        ASSERT_TRUE(record) << record.error().text();
        EXPECT_EQ(record->magic, topic.size() > 127 ? kMagicV2 : kMagicV1);
        EXPECT_EQ(record->total_size, record_size(parts));
        EXPECT_EQ(record->queue_id, 3);
        EXPECT_EQ(record->flag, -5);
        EXPECT_EQ(record->queue_offset, 77);
        EXPECT_EQ(record->physical_offset, 88'888'888'888);
        EXPECT_EQ(record->sys_flag & (kSysCompressed | kSysTransactionMask), parts.sys_flag);
        EXPECT_EQ(record->born_timestamp, parts.born_timestamp);
        EXPECT_EQ(record->born_host, parts.born_host);
        EXPECT_EQ(record->store_timestamp, 99);
        EXPECT_EQ(record->store_host, parts.store_host);
        EXPECT_EQ(record->reconsume_times, 2);
        EXPECT_EQ(record->prepared_transaction_offset, 4'000'000'000);
        EXPECT_EQ(text(record->body), "some body");
        EXPECT_EQ(record->topic, topic);
        EXPECT_EQ(record->properties, parts.properties);
      }
    }
  }
}

TEST(Record, HostBitsFollowTheHostsAndNotTheProducer) {
  RecordParts parts = some_parts();
  parts.sys_flag = kSysBornHostV6 | kSysStoreHostV6;
  const std::string v4 = encode_record(parts, 0, 0, 0);
  EXPECT_EQ(parse_record(view(v4), BodyCheck::kSkip)->sys_flag, 0);
  parts.sys_flag = 0;
  parts.store_host = *parse_host("::1", 1);
  const std::string v6 = encode_record(parts, 0, 0, 0);
  EXPECT_EQ(parse_record(view(v6), BodyCheck::kSkip)->sys_flag, kSysStoreHostV6);
}

TEST(Record, HeadEndsWithTheBodyLength) {
  std::array<std::byte, kHeadSizeMax> head{};
  RecordParts parts = some_parts();
  EXPECT_EQ(encode_head(parts, record_size(parts), 0, head.data()), 88U);
  EXPECT_EQ(load_be<std::int32_t>(head.data() + 84), 9);
  parts.born_host = parts.store_host = *parse_host("::1", 1);
  EXPECT_EQ(encode_head(parts, record_size(parts), 0, head.data()), kHeadSizeMax);
  EXPECT_EQ(load_be<std::int32_t>(head.data() + kHeadSizeMax - 4), 9);
}

TEST(Record, HeadHasNoPlacementUntilItIsPlaced) {
  std::array<std::byte, kHeadSizeMax> head{};
  head.fill(std::byte{0xFF});
  const RecordParts parts = some_parts();
  encode_head(parts, record_size(parts), 0, head.data());
  EXPECT_EQ(load_be<std::int64_t>(head.data() + 20), 0);
  EXPECT_EQ(load_be<std::int64_t>(head.data() + 28), 0);
  EXPECT_EQ(load_be<std::int64_t>(head.data() + 56), 0);
  place_head(head.data(), false, 1, 2, 3);
  EXPECT_EQ(load_be<std::int64_t>(head.data() + 20), 1);
  EXPECT_EQ(load_be<std::int64_t>(head.data() + 28), 2);
  EXPECT_EQ(load_be<std::int64_t>(head.data() + 56), 3);
}

TEST(Record, SizeIsTheOneOfTheFormat) {
  RecordParts parts;
  EXPECT_EQ(record_size(parts), kRecordSizeMinV1);
  parts.born_host.is_v6 = true;
  EXPECT_EQ(record_size(parts), 91 + 12);
  parts.store_host.is_v6 = true;
  EXPECT_EQ(record_size(parts), 91 + 24);
  const std::string topic(128, 't');
  parts.topic = topic;
  EXPECT_EQ(record_size(parts), 91 + 24 + 1 + 128);
}

TEST(Record, CannotHoldWhatItsLengthsCannotSay) {
  const std::string too_long(32'768, 'x');
  RecordParts parts = some_parts(too_long);
  EXPECT_EQ(record_size(parts), 0);
  parts = some_parts();
  parts.properties = too_long;
  EXPECT_EQ(record_size(parts), 0);
  parts.properties = std::string_view(too_long).substr(1);
  EXPECT_GT(record_size(parts), 0);
  parts.body = {parts.body.data(), std::size_t{INT32_MAX} - 1};  // only its size is looked at
  EXPECT_EQ(record_size(parts), 0);
  parts.body = {parts.body.data(), SIZE_MAX};
  EXPECT_EQ(record_size(parts), 0);
}

TEST(Record, IsRefusedWhereverItIsCutOff) {
  const std::string whole = golden_record();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(code_of(whole.substr(0, size)), Errc::kTruncated) << size;
}

TEST(Record, IsReadWhenOthersFollow) {
  const std::string bytes = golden_record() + golden_record();
  const auto record = parse_record(view(bytes), BodyCheck::kVerifyCrc);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->total_size, 211);
}

TEST(Record, RefusesOtherMagics) {
  EXPECT_EQ(code_of(patched(golden_record(), offset_of::kMagic, std::int32_t{0})), Errc::kBadMagic);
  EXPECT_EQ(code_of(patched(golden_record(), offset_of::kMagic, kMagicV1 + 1)), Errc::kBadMagic);
  EXPECT_EQ(code_of(std::string(64, '\0')), Errc::kBadMagic) << "the unwritten rest of a segment";
}

TEST(Record, RefusesTotalsBelowTheSmallest) {
  for (const std::int32_t total : {0, -1, 8, 90, INT32_MIN}) {
    EXPECT_EQ(code_of(patched(golden_record(), offset_of::kTotalSize, total)), Errc::kBadLength) << total;
  }
  RecordParts parts;
  const std::string smallest = encode_record(parts, 0, 0, 0);
  EXPECT_TRUE(parse_record(view(smallest), BodyCheck::kVerifyCrc));
  EXPECT_EQ(code_of(patched(smallest, offset_of::kMagic, kMagicV2)), Errc::kBadLength) << "V2 needs 92";
}

TEST(Record, RefusesATotalThatIsNotTheSumOfItsParts) {
  for (const int off : {-1, 1}) {
    const std::string bytes = patched(golden_record() + "x", offset_of::kTotalSize, 211 + off);
    EXPECT_EQ(code_of(bytes), Errc::kBadLength) << off;
  }
}

TEST(Record, RefusesBodyLengthsThatDoNotFit) {
  for (const std::int32_t length : {-1, 4, 6, 123, 124, 1'000'000, INT32_MAX, INT32_MIN}) {
    EXPECT_EQ(code_of(patched(golden_record(), offset_of::body_length(false, false), length), BodyCheck::kSkip),
              Errc::kBadLength)
        << length;
  }
}

TEST(Record, RefusesTopicLengthsThatDoNotFit) {
  const int at = offset_of::body(false, false) + 5;
  for (const int length : {-1, 0, 1, 3, 116, 117, 127, -128}) {
    EXPECT_EQ(code_of(patched(golden_record(), at, static_cast<std::int8_t>(length))), Errc::kBadLength) << length;
  }
}

TEST(Record, RefusesV2TopicLengthsThatDoNotFit) {
  const std::string topic(200, 't');
  const std::string good = encode_record(some_parts(topic), 0, 0, 0);
  const int at = offset_of::body(false, false) + 9;
  for (const int length : {-1, 0, 199, 201, 32'767, -32'768}) {
    EXPECT_EQ(code_of(patched(good, at, static_cast<std::int16_t>(length))), Errc::kBadLength) << length;
  }
}

TEST(Record, RefusesPropertyLengthsThatDoNotFit) {
  const int at = offset_of::body(false, false) + 5 + 1 + 2;
  for (const int length : {-1, 0, 0x70, 0x72, 32'767, -32'768}) {
    EXPECT_EQ(code_of(patched(golden_record(), at, static_cast<std::int16_t>(length))), Errc::kBadLength) << length;
  }
}

TEST(Record, RefusesHostBitsThatDoNotFit) {
  const std::string smallest = encode_record(RecordParts{}, 0, 0, 0);
  EXPECT_EQ(code_of(patched(smallest, offset_of::kSysFlag, kSysBornHostV6 | kSysStoreHostV6)), Errc::kBadLength);
}

TEST(Record, RefusesZeroBytesInProperties) {
  std::string bytes = golden_record();
  for (const std::size_t at : {bytes.size() - 1, bytes.size() - 0x71}) {
    std::string torn = bytes;
    torn[at] = '\0';
    EXPECT_EQ(code_of(torn), Errc::kBadProperties);
  }
}

// The sector with the end of a record was lost: without properties nothing else tells it.
TEST(Record, RefusesZeroBytesInTheTopic) {
  RecordParts parts;
  parts.topic = "TopicA";
  const std::string whole = encode_record(parts, 0, 0, 0);
  ASSERT_TRUE(parse_record(view(whole), BodyCheck::kVerifyCrc));
  for (std::size_t lost = 3; lost <= 8; ++lost) {
    std::string torn = whole;
    torn.replace(torn.size() - lost, lost, lost, '\0');
    EXPECT_EQ(code_of(torn), Errc::kBadName) << lost;
  }
}

TEST(Record, RefusesAFlippedBodyOnlyWhenAsked) {
  std::string bytes = golden_record();
  bytes[88] = 'H';
  EXPECT_EQ(code_of(bytes, BodyCheck::kVerifyCrc), Errc::kBadCrc);
  EXPECT_TRUE(parse_record(view(bytes), BodyCheck::kSkip));
}

TEST(Record, HasNoCrcToVerifyWithoutABody) {
  const std::string bytes = patched(encode_record(RecordParts{}, 0, 0, 0), offset_of::kBodyCrc, std::int32_t{5});
  EXPECT_TRUE(parse_record(view(bytes), BodyCheck::kVerifyCrc));
}

// From the table of docs/format/commit_log_record.md: record bytes by hand, CRC by another program (Python's zlib):
// 1,164,844,043, its lowest digit first.
std::string golden_record_with_crc() {
  return from_hex(
             "00000080 daa320a7 3610a686 00000000 00000000 0000000000000005 0000000000001000 00000000 000001a202a69e92"
             "7f000001 0000e92e 000001a202a69eaa 7f000001 00005597 00000000 0000000000000000 00000005 68656c6c6f"
             "02 5441 001e") +
         "TAGS\x01"
         "TagA\x02"
         "__CRC32#\x01"
         "3404484611\x02";
}

RecordParts parts_of_golden_with_crc() {
  static const std::string body = "hello";
  RecordParts parts;
  parts.topic = "TA";
  parts.born_timestamp = 0x1a202a69e92;
  parts.born_host = *parse_host("127.0.0.1", 0xe92e);
  parts.store_host = *parse_host("127.0.0.1", 0x5597);
  parts.body = view(body);
  parts.properties =
      "TAGS\x01"
      "TagA\x02";
  parts.appends_crc = true;
  return parts;
}

TEST(RecordWithCrc, IsWrittenByteForByte) {
  RecordParts parts = parts_of_golden_with_crc();
  EXPECT_EQ(encode_record(parts, 5, 4096, 0x1a202a69eaa), golden_record_with_crc());
  parts.properties.remove_suffix(1);
  EXPECT_EQ(encode_record(parts, 5, 4096, 0x1a202a69eaa), golden_record_with_crc()) << "the last pair is ended first";
  parts.properties = {};
  const std::string alone = encode_record(parts, 5, 4096, 0x1a202a69eaa);
  EXPECT_EQ(alone.substr(alone.size() - 22), from_hex("0014") + "__CRC32#\x01" + "0912102531\x02");
}

TEST(RecordWithCrc, IsVerifiedWholeWhenAsked) {
  const std::string bytes = golden_record_with_crc();
  ASSERT_TRUE(parse_record(view(bytes), BodyCheck::kVerifyAppendedCrc));
  // Behind size and magic, where any flip is another refusal; lengths and topic aside, which may be one.
  for (const std::size_t at : {8U, 13U, 27U, 35U, 47U, 55U, 63U, 71U, 88U, 92U, 94U, 103U}) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    EXPECT_EQ(code_of(flipped, BodyCheck::kVerifyAppendedCrc), Errc::kBadCrc) << at;
  }
  for (std::size_t at = bytes.size() - 11; at < bytes.size() - 1; ++at) {
    for (const char digit : {'9', 'x', '\x7f'}) {
      std::string other = bytes;
      other[at] = digit;
      EXPECT_EQ(code_of(other, BodyCheck::kVerifyAppendedCrc), Errc::kBadCrc) << at << digit;
    }
  }
}

TEST(RecordWithCrc, IsVerifiedByItsBodyIfItEndsWithoutOne) {
  const std::string bytes = golden_record();
  EXPECT_TRUE(parse_record(view(bytes), BodyCheck::kVerifyAppendedCrc));
  std::string flipped = bytes;
  flipped[88] = 'H';
  EXPECT_EQ(code_of(flipped, BodyCheck::kVerifyAppendedCrc), Errc::kBadCrc);
  // A name that only ends like it.
  RecordParts parts = parts_of_golden_with_crc();
  parts.appends_crc = false;
  parts.properties =
      "A__CRC32#\x01"
      "0000000000\x02";
  EXPECT_TRUE(parse_record(view(encode_record(parts, 0, 0, 0)), BodyCheck::kVerifyAppendedCrc));
}

TEST(RecordWithCrc, MakesRoomForItInTheProperties) {
  RecordParts parts = some_parts();
  const std::string properties(32'767 - 20 - 1, 'p');
  parts.properties = properties;
  parts.appends_crc = true;
  EXPECT_EQ(tail_size(parts), 1U + parts.topic.size() + 2U + 32'767U);
  EXPECT_GT(record_size(parts), 0);
  const std::string longer = properties + "p";
  parts.properties = longer;
  EXPECT_EQ(record_size(parts), 0);
}

TEST(AppendedCrc, OfAnotherRecordIsLeftOut) {
  const std::string crc =
      "__CRC32#\x01"
      "3404484611\x02";
  const std::string tags =
      "TAGS\x01"
      "TagA\x02";
  EXPECT_EQ(without_appended_crc(tags), tags);
  EXPECT_EQ(without_appended_crc(crc), "");
  EXPECT_EQ(without_appended_crc(tags + crc + crc), tags);
  EXPECT_EQ(without_appended_crc(crc + tags), crc + tags) << "only the last property is taken for one";
  EXPECT_EQ(without_appended_crc("A" + crc), "A" + crc);
}

TEST(BlankRecord, HasOnlyASize) {
  std::string bytes;
  append_be(bytes, std::int32_t{40});
  append_be(bytes, kMagicBlank);
  bytes.append(32, '\xFF');
  const auto record = parse_record(view(bytes), BodyCheck::kVerifyCrc);
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->is_blank());
  EXPECT_EQ(record->total_size, 40);
}

TEST(BlankRecord, RefusesSizesThatDoNotFit) {
  for (const std::int32_t size : {7, 0, -8}) {
    std::string bytes;
    append_be(bytes, size);
    append_be(bytes, kMagicBlank);
    EXPECT_EQ(code_of(bytes), Errc::kBadLength) << size;
  }
  std::string bytes;
  append_be(bytes, std::int32_t{9});
  append_be(bytes, kMagicBlank);
  EXPECT_EQ(code_of(bytes), Errc::kTruncated);
}

TEST(PeekRecord, LooksAtTheFrontOnly) {
  const std::string bytes = golden_record().substr(0, 8);
  const auto front = peek_record(view(bytes));
  ASSERT_TRUE(front);
  EXPECT_EQ(front->total_size, 211);
  EXPECT_EQ(front->magic, kMagicV1);
  EXPECT_EQ(peek_record(view(bytes.substr(0, 7))).error().code, Errc::kTruncated);
  EXPECT_EQ(peek_record(view(patched(bytes, offset_of::kMagic, 1))).error(), error(Errc::kBadMagic, 1));
  EXPECT_EQ(peek_record(view(patched(bytes, offset_of::kTotalSize, 90))).error(), error(Errc::kBadLength, 90));
}

TEST(Host, IsWrittenAsPeopleDo) {
  EXPECT_EQ(parse_host("127.0.0.1", 10911)->text(), "127.0.0.1:10911");
  EXPECT_EQ(parse_host("::1", 10911)->text(), "[::1]:10911");
  EXPECT_EQ(parse_host("[2001:DB8:0::5]", 0)->text(), "[2001:db8::5]:0");
}

TEST(Host, OfIpv4InIpv6IsIpv4) {
  EXPECT_EQ(*parse_host("::ffff:1.2.3.4", 5), *parse_host("1.2.3.4", 5));
  EXPECT_TRUE(parse_host("::fffe:1.2.3.4", 5)->is_v6);
}

TEST(Host, RefusesWhatIsNoLiteralAddress) {
  for (const std::string_view bad : {"", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4 ", ":", ":::", "[]",
                                     "[::1", "fe80::1%eth0", "1.2.3.4:80"}) {
    EXPECT_EQ(parse_host(bad, 1).error().code, Errc::kBadName) << bad;
  }
  EXPECT_EQ(parse_host(std::string_view("1.2.3.4\0", 8), 1).error().code, Errc::kBadName);
  EXPECT_EQ(parse_host(std::string(1000, '1'), 1).error().code, Errc::kBadName);
}

TEST(Host, RefusesWhatIsNoPort) {
  EXPECT_EQ(parse_host("1.2.3.4", -1).error(), error(Errc::kBadName, -1));
  EXPECT_EQ(parse_host("1.2.3.4", 65'536).error(), error(Errc::kBadName, 65'536));
}

TEST(MessageErrc, HasATextForEachCode) {
  EXPECT_EQ(error(Errc::kBadMagic, 5).text(), "message: unknown magic (5)");
  for (int code = 1; code <= static_cast<int>(Errc::kBadName); ++code) {
    EXPECT_NE(make_error_code(static_cast<Errc>(code)).message(), "unknown error") << code;
  }
}

}  // namespace
}  // namespace tern::message
