#include "tests/support/promql_text.h"

#include <algorithm>
#include <cctype>

namespace sched_exporter::test_support {
namespace {

enum class Kind { kWord, kNumber, kString, kSign };

struct Token {
  Kind kind;
  std::string text;
};

bool IsWordByte(char byte) {
  return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '_' || byte == ':';
}

std::size_t EndOfString(std::string_view text, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < text.size() && text[end] != text[begin]) {
    end += text[end] == '\\' ? 2 : 1;
  }
  return std::min(end + 1, text.size());
}

std::vector<Token> Tokens(std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    Kind kind = Kind::kSign;
    if (std::isspace(static_cast<unsigned char>(text[at])) != 0) {
      ++at;
      continue;
    }
    if (text[at] == '"' || text[at] == '\'') {
      kind = Kind::kString;
      end = EndOfString(text, at);
    } else if (IsWordByte(text[at])) {
      const bool is_number = std::isdigit(static_cast<unsigned char>(text[at])) != 0;
      kind = is_number ? Kind::kNumber : Kind::kWord;
      while (end < text.size() && (IsWordByte(text[end]) || (is_number && text[end] == '.'))) {
        ++end;
      }
    } else if (std::string_view("=!<>").find(text[at]) != std::string_view::npos &&
               end < text.size() && (text[end] == '=' || text[end] == '~')) {
      ++end;
    }
    tokens.push_back({kind, std::string(text.substr(at, end - at))});
    at = end;
  }
  return tokens;
}

using Words = std::set<std::string, std::less<>>;

const Words& ListWords() {
  static const Words words = {"by", "without", "on", "ignoring", "group_left", "group_right"};
  return words;
}

const Words& OtherWords() {
  static const Words words = {"and",  "or",           "unless",  "offset", "bool", "inf",
                              "nan",  "sum",          "avg",     "min",    "max",  "count",
                              "topk", "count_values", "bottomk", "stddev"};
  return words;
}

const Words& SetWords() {
  static const Words words = {"and", "or", "unless"};
  return words;
}

bool Is(const std::vector<Token>& tokens, std::size_t at, std::string_view text) {
  return at < tokens.size() && tokens[at].text == text;
}

bool IsComparison(const Token& token) {
  static const Words signs = {"==", "!=", ">=", "<=", ">", "<"};
  return token.kind == Kind::kSign && signs.count(token.text) != 0;
}

/// The place behind the bracket that closes the one at `open`.
std::size_t BehindBracket(const std::vector<Token>& tokens, std::size_t open) {
  int depth = 0;
  for (std::size_t at = open; at < tokens.size(); ++at) {
    if (tokens[at].kind == Kind::kSign) {
      depth += Is(tokens, at, "(") || Is(tokens, at, "{") || Is(tokens, at, "[") ? 1 : 0;
      depth -= Is(tokens, at, ")") || Is(tokens, at, "}") || Is(tokens, at, "]") ? 1 : 0;
    }
    if (depth == 0) {
      return at + 1;
    }
  }
  return tokens.size();
}

std::string Joined(const std::vector<Token>& tokens) {
  std::string text;
  for (const Token& token : tokens) {
    text += (text.empty() ? "" : " ") + token.text;
  }
  return text;
}

using TokenList = std::vector<Token>;

/// Splits where `is_cut` holds outside of brackets.
template <typename IsCut>
std::vector<TokenList> SplitOutside(const TokenList& tokens, const IsCut& is_cut) {
  std::vector<TokenList> parts(1);
  for (std::size_t at = 0; at < tokens.size();) {
    const bool is_open = Is(tokens, at, "(") || Is(tokens, at, "{") || Is(tokens, at, "[");
    const std::size_t end = is_open ? BehindBracket(tokens, at) : at + 1;
    if (is_cut(tokens[at])) {
      parts.emplace_back();
    } else {
      parts.back().insert(parts.back().end(), tokens.begin() + static_cast<long>(at),
                          tokens.begin() + static_cast<long>(end));
    }
    at = end;
  }
  return parts;
}

void Erase(TokenList& tokens, std::size_t begin, std::size_t end) {
  tokens.erase(tokens.begin() + static_cast<long>(begin), tokens.begin() + static_cast<long>(end));
}

void AddSides(TokenList tokens, std::vector<std::string>& sides) {
  if (Is(tokens, 0, "on") || Is(tokens, 0, "ignoring")) {
    Erase(tokens, 0, BehindBracket(tokens, 1));
  }
  const auto parts =
      SplitOutside(tokens, [](const Token& token) { return SetWords().count(token.text) != 0; });
  if (parts.size() > 1) {
    for (const TokenList& part : parts) {
      AddSides(part, sides);
    }
    return;
  }
  tokens = SplitOutside(tokens, IsComparison).front();
  if (Is(tokens, 0, "absent")) {
    Erase(tokens, 0, 1);
  }
  if (Is(tokens, 0, "(") && BehindBracket(tokens, 0) == tokens.size()) {
    AddSides(TokenList(tokens.begin() + 1, tokens.end() - 1), sides);
    return;
  }
  sides.push_back(Joined(tokens));
}

}  // namespace

PromqlNames NamesIn(std::string_view expression) {
  PromqlNames names;
  const TokenList tokens = Tokens(expression);
  bool in_matchers = false;
  for (std::size_t at = 0; at < tokens.size(); ++at) {
    const Token& token = tokens[at];
    in_matchers = token.text == "{" || (in_matchers && token.text != "}");
    if (token.text == "[") {
      at = BehindBracket(tokens, at) - 1;
    } else if (ListWords().count(token.text) != 0) {
      const std::size_t end = Is(tokens, at + 1, "(") ? BehindBracket(tokens, at + 1) : at + 1;
      for (++at; at < end; ++at) {
        if (tokens[at].kind == Kind::kWord) {
          names.labels.insert(tokens[at].text);
        }
      }
      --at;
    } else if (token.kind == Kind::kWord && in_matchers) {
      names.labels.insert(token.text);
    } else if (token.kind == Kind::kWord && !Is(tokens, at + 1, "(") &&
               OtherWords().count(token.text) == 0) {
      names.metrics.insert(token.text);
    }
  }
  return names;
}

std::vector<std::string> SidesOf(std::string_view expression) {
  TokenList tokens = Tokens(expression);
  for (std::size_t at = 0; at < tokens.size();) {
    if (tokens[at].text == "offset") {
      Erase(tokens, at, at + 2);
    } else {
      ++at;
    }
  }
  std::vector<std::string> sides;
  AddSides(std::move(tokens), sides);
  return sides;
}

}  // namespace sched_exporter::test_support
