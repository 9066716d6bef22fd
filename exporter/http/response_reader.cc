#include "exporter/http/response_reader.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

constexpr std::size_t kMostHeadBytes = 16'384;

template <int base>
std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

bool EqualsNoCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

Result<void> ResponseReader::Feed(std::string_view bytes) {
  while (!bytes.empty() && !done()) {
    Result<void> taken = TakesLines() ? TakeLine(bytes) : TakeBytes(bytes);
    if (!taken) {
      return taken;
    }
  }
  return {};
}

Result<void> ResponseReader::End() {
  if (state_ == State::kUntilEnd) {
    state_ = State::kDone;
  }
  return done() ? Result<void>() : Fail("the server ended the connection within its answer");
}

bool ResponseReader::TakesLines() const {
  return state_ != State::kCounted && state_ != State::kUntilEnd && state_ != State::kChunk;
}

Result<void> ResponseReader::TakeBytes(std::string_view& bytes) {
  const std::size_t count =
      state_ == State::kUntilEnd
          ? bytes.size()
          : static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
  if (auto fits = CheckSize(count); !fits) {
    return fits;
  }
  body_.append(bytes.substr(0, count));
  bytes.remove_prefix(count);
  if (state_ == State::kUntilEnd) {
    return {};
  }
  left_ -= count;
  if (left_ == 0) {
    state_ = state_ == State::kChunk ? State::kChunkEnd : State::kDone;
  }
  return {};
}

Result<void> ResponseReader::TakeLine(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::size_t count = end == bytes.npos ? bytes.size() : end + 1;
  if (line_.size() + head_bytes_ + count > kMostHeadBytes) {
    return Fail("the headers of the answer have more than " + std::to_string(kMostHeadBytes) +
                " bytes");
  }
  line_ += bytes.substr(0, count);
  bytes.remove_prefix(count);
  if (end == bytes.npos) {
    return {};
  }
  std::string line = std::move(line_);
  line_.clear();
  if (state_ != State::kChunkSize && state_ != State::kChunkEnd) {
    head_bytes_ += line.size();
  }
  line.pop_back();
  if (line.ends_with('\r')) {
    line.pop_back();
  }
  return OnLine(line);
}

Result<void> ResponseReader::OnLine(std::string_view line) {
  switch (state_) {
    case State::kStatus:
      return OnStatus(line);
    case State::kHeaders:
      return OnHeader(line);
    case State::kChunkSize:
      return OnChunkSize(line);
    case State::kChunkEnd:
      state_ = State::kChunkSize;
      return line.empty() ? Result<void>() : Fail("a chunk of the answer has a wrong size");
    default:  // kTrailers
      state_ = line.empty() ? State::kDone : State::kTrailers;
      return {};
  }
}

Result<void> ResponseReader::OnStatus(std::string_view line) {
  constexpr std::string_view kVersion = "HTTP/1.";
  constexpr std::size_t kStatusAt = kVersion.size() + 2;  // after "HTTP/1.1 "
  const auto status = line.starts_with(kVersion) && line.size() >= kStatusAt + 3
                          ? ParseNumber<10>(line.substr(kStatusAt, 3))
                          : std::nullopt;
  if (!status) {
    return Fail("the answer is no HTTP/1.1");
  }
  if (*status != 200) {
    return Fail("the server answered with status " + std::to_string(*status) +
                (*status == 401 ? "; it wants a user and a password" : ""));
  }
  state_ = State::kHeaders;
  return {};
}

Result<void> ResponseReader::OnHeader(std::string_view line) {
  if (line.empty()) {
    BeginBody();
    return {};
  }
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = colon < line.size() ? Trim(line.substr(colon + 1)) : "";
  if (EqualsNoCase(name, "Transfer-Encoding")) {
    chunked_ = EqualsNoCase(value, "chunked");
    return chunked_ ? Result<void>() : Fail("the answer's transfer encoding is not \"chunked\"");
  }
  if (EqualsNoCase(name, "Content-Length")) {
    const auto length = ParseNumber<10>(value);
    if (!length || (has_length_ && left_ != *length)) {
      return Fail("the answer's Content-Length makes no sense");
    }
    has_length_ = true;
    left_ = *length;
    return CheckSize(left_);
  }
  return {};
}

void ResponseReader::BeginBody() {
  if (chunked_) {
    state_ = State::kChunkSize;
  } else if (has_length_) {
    state_ = left_ == 0 ? State::kDone : State::kCounted;
  } else {
    state_ = State::kUntilEnd;
  }
}

Result<void> ResponseReader::OnChunkSize(std::string_view line) {
  const auto size = ParseNumber<16>(Trim(line.substr(0, line.find(';'))));
  if (!size) {
    return Fail("a chunk of the answer has no size");
  }
  left_ = *size;
  state_ = left_ == 0 ? State::kTrailers : State::kChunk;
  return CheckSize(left_);
}

Result<void> ResponseReader::CheckSize(std::uint64_t more) const {
  if (more > most_bytes_ - body_.size()) {
    return Fail("the answer has more than " + std::to_string(most_bytes_) + " bytes");
  }
  return {};
}

}  // namespace sched_exporter
