#include "tests/bench/figures.h"

#include <cstdio>
#include <cstdlib>

namespace sched_exporter::test_support {

void RecordFigure(const std::string& name, const Spread& spread) {
  const char* path = std::getenv("SCHED_EXPORTER_FIGURES");
  if (path == nullptr) {
    return;
  }
  FILE* file = std::fopen(path, "ae");
  if (file == nullptr) {
    std::fprintf(stderr, "cannot write %s\n", path);
    return;
  }
  std::fprintf(file, "%s\t%.6g\t%.6g\t%.6g\n", name.c_str(), spread.median, spread.lower,
               spread.upper);
  std::fclose(file);
}

void RecordFigure(const std::string& name, double value) {
  RecordFigure(name, Spread{value, value, value, value, value});
}

std::string NumberText(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  return text;
}

std::string QuartilesText(const Spread& spread, int decimals) {
  return NumberText(spread.lower, decimals) + " to " + NumberText(spread.upper, decimals);
}

std::string GroupedText(long value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace sched_exporter::test_support
