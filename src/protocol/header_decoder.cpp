// Decodes command headers, which every request pays for. A send in JSON has about 600 bytes: one pass, strings found
// sixteen bytes at a time, values viewed where they stand. Only strings with escapes are copied, to a scratch space
// that is as large as the header before the first of them, so no view into it moves.

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <vector>

#include "tern/base/byte_order.hpp"
#include "tern/protocol/command.hpp"
#include "tern/protocol/errors.hpp"

#include "json_text.hpp"

namespace tern::protocol {

struct HeaderDecoder::Scratch {
  std::vector<char> bytes;
};

namespace {

using ScratchBytes = std::vector<char>;
constexpr std::size_t kScratchKeptMax = 1 << 20;  // a larger one, once needed, is given back with the next header

constexpr std::int32_t kLanguageOther = 7;
constexpr std::array<std::string_view, 14> kLanguages{"JAVA",   "CPP",  "DOTNET", "PYTHON", "DELPHI",
                                                      "ERLANG", "RUBY", "OTHER",  "HTTP",   "GO",
                                                      "PHP",    "OMS",  "RUST",   "NODE_JS"};

std::int32_t language_number(std::string_view name) {
  for (std::size_t i = 0; i < kLanguages.size(); ++i) {
    if (kLanguages[i] == name) return static_cast<std::int32_t>(i);
  }
  return kLanguageOther;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// An int as the decoder's contract allows it: digits, perhaps a fraction of zeros. False for anything else and on
// overflow.
bool parse_int(std::string_view text, std::int32_t& to) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return false;
  std::int64_t value = 0;
  std::size_t at = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    value = value * 10 + (text[at] - '0');
    if (value > -std::int64_t{std::numeric_limits<std::int32_t>::min()}) return false;
  }
  if (negative) value = -value;
  if (value > std::numeric_limits<std::int32_t>::max()) return false;
  to = static_cast<std::int32_t>(value);
  if (at == text.size()) return true;
  const std::string_view fraction = text.substr(at + 1);
  return text[at] == '.' && !fraction.empty() && fraction.find_first_not_of('0') == std::string_view::npos;
}

// Sixteen bytes that are compared at once: one register of SSE2 or NEON.
using Block = unsigned char __attribute__((vector_size(16)));
constexpr std::size_t kBlockSize = sizeof(Block);

Block load_block(const char* from) {
  Block block;
  std::memcpy(&block, from, kBlockSize);
  return block;
}

// Where the first byte of `block` stands that is `first` or `second`; kBlockSize if there is none.
std::size_t find_either(Block block, char first, char second) {
  const auto hits = (block == static_cast<unsigned char>(first)) | (block == static_cast<unsigned char>(second));
  const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(hits);  // a byte of ones for each hit
  if constexpr (std::endian::native == std::endian::little) {
    if (words[0] != 0) return static_cast<std::size_t>(std::countr_zero(words[0])) / 8;
    return sizeof(words[0]) + static_cast<std::size_t>(std::countr_zero(words[1])) / 8;
  } else {
    if (words[0] != 0) return static_cast<std::size_t>(std::countl_zero(words[0])) / 8;
    return sizeof(words[0]) + static_cast<std::size_t>(std::countl_zero(words[1])) / 8;
  }
}

// Position of the first `quote` or backslash at or behind `at`, text.size() if there is none.
std::size_t find_string_end(std::string_view text, std::size_t at, char quote) {
  for (; text.size() - at >= kBlockSize; at += kBlockSize) {
    const auto found = find_either(load_block(text.data() + at), quote, '\\');
    if (found < kBlockSize) return at + found;
  }
  while (at < text.size() && text[at] != quote && text[at] != '\\') ++at;
  return at;
}

/// Reads one JSON header. Every function returns false on what it refuses, with the reason in `problem_`; `at_` is
/// behind what has been read. One use.
class JsonHeaderReader {
 public:
  JsonHeaderReader(std::string_view text, ScratchBytes& scratch) : text_(text), scratch_(scratch) {}

  Status read(CommandHeader& out) {
    if (read_header(out)) return {};
    return problem_;
  }

 private:
  // --- grammar of the header, outside in

  bool read_header(CommandHeader& out) {
    if (!expect('{')) return false;
    const bool read = read_members([&](std::string_view name) { return read_header_member(name, out); });
    if (!read || !skip_blanks()) return false;
    return at_ == text_.size() || fail();
  }

  bool read_header_member(std::string_view name, CommandHeader& out) {
    if (name == "code") return read_int(out.code, 0);
    if (name == "flag") return read_int(out.flag, 0);
    if (name == "version") return read_int(out.version, 0);
    if (name == "language") return read_language(out.language);
    if (name == "remark") return read_text(out.remark);
    if (name == "extFields") return read_ext_fields(out);
    if (name == "opaque") {
      out.has_opaque = peek() != 'n';
      return read_int(out.opaque, 0);
    }
    std::string_view skipped;
    return read_text(skipped);
  }

  bool read_ext_fields(CommandHeader& out) {
    out.fields.clear();  // of duplicate members the last one counts
    if (peek() == 'n') return read_word("null");
    depth_ = 2;
    const bool read = expect('{') && read_members([&](std::string_view key) {
                        ExtField& field = out.fields.emplace_back();
                        field.key = key;
                        return read_text(field.value);
                      });
    depth_ = 1;
    return read;
  }

  // Members of an object whose brace is read. `read_value(name)` is called in front of each value.
  template <class ReadValue>
  bool read_members(ReadValue&& read_value) {
    if (!skip_blanks()) return false;
    if (peek() == '}') return take();
    for (;;) {
      std::string_view name;
      if (!read_member_name(name) || !read_value(name) || !skip_blanks()) return false;
      if (peek() == '}') return take();
      if (!expect(',') || !skip_blanks()) return false;
    }
  }

  // The name and the colon; `at_` is then at the value.
  bool read_member_name(std::string_view& name) { return read_string(name) && expect(':') && skip_blanks(); }

  bool read_int(std::int32_t& to, std::int32_t if_null) {
    if (peek() == 'n') {
      to = if_null;
      return read_word("null");
    }
    const std::size_t begin = at_;
    std::string_view text;
    if (!(is_quote(peek()) ? read_string(text) : read_number(text))) return false;
    return parse_int(text, to) || fail_at(begin);
  }

  bool read_language(std::int32_t& to) {
    if (is_quote(peek())) {
      std::string_view name;
      if (!read_string(name)) return false;
      to = language_number(name);
      return true;
    }
    const std::size_t begin = at_;
    if (!read_int(to, kLanguageOther)) return false;
    return (to >= 0 && to < static_cast<std::int32_t>(kLanguages.size())) || fail_at(begin);
  }

  // Any value as the text it stands for: strings without quotes, null as no text at all, everything else as it is
  // written.
  bool read_text(std::string_view& to) {
    const std::size_t begin = at_;
    switch (peek()) {
      case '"':
      case '\'':
        return read_string(to);
      case 'n':
        to = {};
        return read_word("null");
      case '{':
      case '[':
        if (!skip_container()) return false;
        to = text_.substr(begin, at_ - begin);
        return true;
      default:
        return read_scalar(to);
    }
  }

  bool read_scalar(std::string_view& to) {
    const std::size_t begin = at_;
    if (peek() != 't' && peek() != 'f') return read_number(to);
    if (!read_word(peek() == 't' ? "true" : "false")) return false;
    to = text_.substr(begin, at_ - begin);
    return true;
  }

  // A whole object or array, without recursion: `objects` has one bit per open container, the innermost lowest.
  bool skip_container() {
    static_assert(kJsonDepthMax <= 64);
    std::uint64_t objects = 0;
    int open = 0;
    for (;;) {
      const char first = peek();  // of a value
      if (first == '{' || first == '[') {
        if (depth_ + ++open > kJsonDepthMax) return fail_at(at_, Errc::kHeaderTooDeep);
        objects = objects << 1U | static_cast<unsigned>(first == '{');
        take();
        if (!skip_blanks()) return false;
        if (peek() != close_of(objects)) {
          if ((objects & 1U) != 0 && !skip_member_name()) return false;
          continue;
        }
      } else if (!skip_simple()) {
        return false;
      }
      for (;;) {  // behind a value, or at the end of an empty container
        if (!skip_blanks()) return false;
        if (peek() != close_of(objects)) break;
        take();
        objects >>= 1U;
        if (--open == 0) return true;
      }
      if (!expect(',') || !skip_blanks()) return false;
      if ((objects & 1U) != 0 && !skip_member_name()) return false;
    }
  }

  static char close_of(std::uint64_t objects) { return (objects & 1U) != 0 ? '}' : ']'; }

  bool skip_member_name() { return skip_string() && expect(':') && skip_blanks(); }

  bool skip_simple() {
    std::string_view skipped;
    if (is_quote(peek())) return skip_string();
    return peek() == 'n' ? read_word("null") : read_scalar(skipped);
  }

  // --- tokens

  // Leaves the scratch alone: what is skipped needs no unescaping.
  bool skip_string() {
    const char quote = peek();
    if (!is_quote(quote)) return fail();
    const std::size_t begin = at_++;
    for (;;) {
      at_ = find_string_end(text_, at_, quote);
      if (at_ >= text_.size()) return fail_at(begin);
      if (text_[at_] == quote) return take();
      at_ += 2;
      if (at_ > text_.size()) return fail_at(begin);
    }
  }

  // Nearly all strings are short, plain and in double quotation marks.
  bool read_string(std::string_view& to) {
    const std::size_t begin = at_ + 1;
    if (peek() == '"' && text_.size() - begin >= kBlockSize) {
      const auto found = find_either(load_block(text_.data() + begin), '"', '\\');
      if (found < kBlockSize && text_[begin + found] == '"') {
        to = text_.substr(begin, found);
        at_ = begin + found + 1;
        return true;
      }
    }
    return read_any_string(to);
  }

  [[gnu::noinline]] bool read_any_string(std::string_view& to) {
    const char quote = peek();
    if (!is_quote(quote)) return fail();
    const std::size_t begin = at_ + 1;
    const std::size_t end = find_string_end(text_, begin, quote);
    if (end < text_.size() && text_[end] == quote) {
      to = text_.substr(begin, end - begin);
      at_ = end + 1;
      return true;
    }
    return skip_string() && unescape(text_.substr(begin, at_ - 1 - begin), begin, to);
  }

  bool unescape(std::string_view raw, std::size_t begin, std::string_view& to) {
    // What is unescaped is never longer than what was read, and each string is unescaped once.
    if (scratch_.size() < text_.size()) scratch_.resize(text_.size());  // only before the first one
    char* const target = scratch_.data() + scratch_used_;
    std::size_t bad_at = 0;
    const std::size_t size = unescape_json(raw, target, bad_at);
    if (size == npos) return fail_at(begin + bad_at);
    scratch_used_ += size;
    to = {target, size};
    return true;
  }

  bool read_number(std::string_view& to) {
    const std::size_t begin = at_;
    if (peek() == '-') ++at_;
    bool good = skip_digits();
    if (good && peek() == '.') {
      ++at_;
      good = skip_digits();
    }
    if (good && (peek() == 'e' || peek() == 'E')) {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      good = skip_digits();
    }
    if (!good) return fail();
    to = text_.substr(begin, at_ - begin);
    return true;
  }

  bool skip_digits() {
    const std::size_t begin = at_;
    while (is_digit(peek())) ++at_;
    return at_ > begin;
  }

  bool read_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return fail();
    at_ += word.size();
    return true;
  }

  bool expect(char c) {
    if (peek() == c) return take();
    if (!skip_blanks()) return false;
    return peek() == c ? take() : fail();
  }

  // White space and comments; false only for a comment that is malformed or does not end.
  bool skip_blanks() {
    for (;;) {
      switch (peek()) {
        case ' ':
        case '\t':
        case '\n':
        case '\r':
        case '\f':
        case '\b':
          ++at_;
          break;
        case '/':
          if (!skip_comment()) return false;
          break;
        default:
          return true;
      }
    }
  }

  bool skip_comment() {
    const std::string_view opening = text_.substr(at_, 2);
    std::size_t end = npos;
    if (opening == "//") {
      end = text_.find('\n', at_);
      at_ = end == npos ? text_.size() : end + 1;
      return true;
    }
    if (opening == "/*") end = text_.find("*/", at_ + 2);
    if (end == npos) return fail();
    at_ = end + 2;
    return true;
  }

  // 0 at the end; a zero byte in the text is no legal token either.
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take() {
    ++at_;
    return true;
  }
  static bool is_quote(char c) { return c == '"' || c == '\''; }

  bool fail() { return fail_at(at_); }
  bool fail_at(std::size_t at, Errc code = Errc::kBadHeader) {
    problem_ = error(code, static_cast<std::int64_t>(at));
    return false;
  }

  const std::string_view text_;
  ScratchBytes& scratch_;
  std::size_t scratch_used_ = 0;
  std::size_t at_ = 0;
  int depth_ = 1;  // of the container whose members are being read
  Error problem_;
};

/// Reads one header of the ROCKETMQ codec: fixed integers and strings with a length before them.
class BinaryHeaderReader {
 public:
  explicit BinaryHeaderReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  Status read(CommandHeader& out) {
    std::int16_t code = 0;
    std::int8_t language = 0;
    std::int16_t version = 0;
    std::int32_t ext_size = 0;
    if (!(number(code) && number(language) && number(version) && number(out.opaque) && number(out.flag) &&
          text<std::int32_t>(out.remark) && number(ext_size))) {
      return problem();
    }
    // The ext block ends the header: bytes behind it would be read as body by no one and as header by no one.
    if (ext_size < 0 || static_cast<std::size_t>(ext_size) != bytes_.size() - at_) return problem();
    while (at_ < bytes_.size()) {
      ExtField& field = out.fields.emplace_back();
      if (!text<std::int16_t>(field.key) || !text<std::int32_t>(field.value)) return problem();
    }
    out.code = code;
    out.version = version;
    out.has_opaque = true;
    out.language = language >= 0 && language < static_cast<int>(kLanguages.size()) ? language : kLanguageOther;
    return {};
  }

 private:
  template <class T>
  bool number(T& to) {
    if (bytes_.size() - at_ < sizeof(T)) return false;
    to = load_be<T>(bytes_.data() + at_);
    at_ += sizeof(T);
    return true;
  }

  // Zero length means no text at all, as it does to Apache's decoder.
  template <class Length>
  bool text(std::string_view& to) {
    Length length = 0;
    if (!number(length)) return false;
    if (length < 0 || static_cast<std::size_t>(length) > bytes_.size() - at_) return false;
    if (length > 0) to = {reinterpret_cast<const char*>(bytes_.data() + at_), static_cast<std::size_t>(length)};
    at_ += static_cast<std::size_t>(length);
    return true;
  }

  [[nodiscard]] Error problem() const { return error(Errc::kBadHeader, static_cast<std::int64_t>(at_)); }

  const std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

void clear(CommandHeader& header) {
  header.code = 0;
  header.language = kLanguageOther;
  header.version = 0;
  header.opaque = 0;
  header.has_opaque = false;
  header.flag = 0;
  header.remark = {};
  header.fields.clear();
}

}  // namespace

// Keys of a send are single letters of one length, so comparing the first byte here saves most calls of memcmp.
std::optional<std::string_view> CommandHeader::find(std::string_view key) const {
  if (key.empty()) return std::nullopt;
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (field->key.size() != key.size() || field->key.front() != key.front() || field->key != key) continue;
    if (field->value.data() == nullptr) return std::nullopt;
    return field->value;
  }
  return std::nullopt;
}

HeaderDecoder::HeaderDecoder() : scratch_(std::make_unique<Scratch>()) {}
HeaderDecoder::~HeaderDecoder() = default;
HeaderDecoder::HeaderDecoder(HeaderDecoder&&) noexcept = default;
HeaderDecoder& HeaderDecoder::operator=(HeaderDecoder&&) noexcept = default;

Status HeaderDecoder::decode(HeaderType type, std::span<const std::byte> header, CommandHeader& out) {
  clear(out);
  if (type == HeaderType::kRocketmq) return BinaryHeaderReader(header).read(out);
  if (scratch_->bytes.size() > kScratchKeptMax) scratch_->bytes = {};
  const std::string_view text(reinterpret_cast<const char*>(header.data()), header.size());
  return JsonHeaderReader(text, scratch_->bytes).read(out);
}

}  // namespace tern::protocol
