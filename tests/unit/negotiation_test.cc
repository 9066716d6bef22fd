#include "exporter/metrics/negotiation.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace sched_exporter {
namespace {

constexpr char kOpen[] = "application/openmetrics-text";

void ExpectFormat(TextFormat format, std::initializer_list<const char*> accepts) {
  for (const char* accept : accepts) {
    EXPECT_EQ(NegotiateFormat(accept), format) << accept;
  }
}

TEST(Negotiation, ServesWhatEachPrometheusPrefers) {
  ExpectFormat(
      TextFormat::kOpenMetrics,
      {// 2.42
       "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
       "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       // 2.49, with native histograms
       "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
       "q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;"
       "version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
       // 3
       "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
       "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
       "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
       // 3, with metric_name_escaping_scheme: underscores
       "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,"
       "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;"
       "q=0.2"});
  ExpectFormat(TextFormat::kOpenMetricsAsDraft,
               {// early releases of Prometheus 2
                "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;"
                "q=0.1"});
  ExpectFormat(TextFormat::kClassic,
               {// Prometheus 1
                "text/plain;version=0.0.4;q=1,*/*;q=0.1",
                // 3, with scrape_protocols: [PrometheusText1.0.0, PrometheusText0.0.4]
                "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;"
                "q=0.5,*/*;q=0.2"});
}

TEST(Negotiation, IsClassicForOthers) {
  ExpectFormat(TextFormat::kClassic,
               {"", "*/*", "text/plain", "text/*", "image/png",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"});
}

TEST(Negotiation, FollowsWeights) {
  ExpectFormat(TextFormat::kOpenMetrics,
               {"application/openmetrics-text;q=0.6,text/plain;q=0.5", kOpen,
                "text/plain;q=0.999, application/openmetrics-text;q=1.000",
                "application/openmetrics-text;q=0.001", "application/*",
                "text/plain;q=0, */*;q=0.1", "text/plain;q=0.5;x=1, application/*;q=0.6"});
  ExpectFormat(
      TextFormat::kClassic,
      {"application/openmetrics-text;q=0.5,text/plain;q=0.6", "application/openmetrics-text;q=0",
       "application/openmetrics-text;q=0.000, */*", "application/*;q=0.3, text/*;q=0.301"});
}

TEST(Negotiation, AtATieTakesWhatTheClientNames) {
  ExpectFormat(TextFormat::kOpenMetrics,
               {"application/openmetrics-text, */*", "*/*;q=0.5,application/openmetrics-text;q=0.5",
                "application/openmetrics-text, text/plain"});
  ExpectFormat(TextFormat::kClassic, {"application/*, text/*", "application/*, */*"});
}

TEST(Negotiation, TheClosestRangeDecides) {
  ExpectFormat(TextFormat::kClassic,
               {"*/*, application/openmetrics-text;q=0.1, text/plain;q=0.2",
                "text/plain;q=0.5, application/*, application/openmetrics-text;q=0.4"});
  ExpectFormat(TextFormat::kOpenMetricsAsDraft,
               {"application/openmetrics-text, application/openmetrics-text;version=1.0.0;q=0",
                "application/openmetrics-text;version=1.0.0;q=0, application/openmetrics-text"});
}

TEST(Negotiation, ServesNoVersionThatItDoesNotHave) {
  ExpectFormat(TextFormat::kClassic, {"application/openmetrics-text;version=2.0.0",
                                      "application/openmetrics-text;version=2.0.0,text/plain;q=0.1",
                                      "application/openmetrics-text;version=1.0.0;charset=utf-16",
                                      "application/openmetrics-protobuf;version=1.0.0"});
  ExpectFormat(TextFormat::kOpenMetrics,
               {"application/openmetrics-text;version=2.0.0, "
                "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;q=0.8",
                "text/plain;version=1.0.0, application/openmetrics-text;q=0.1"});
}

TEST(Negotiation, ReadsWhatRfc9110Allows) {
  ExpectFormat(
      TextFormat::kOpenMetrics,
      {" \tApplication/OpenMetrics-TEXT ; VERSION=1.0.0 ; Charset=UTF-8 ; Q=0.5\t",
       "application/openmetrics-text;version=\"1.0.0\"", ",, application/openmetrics-text,",
       "text/plain;x=\",application/openmetrics-text;q=0,\\\"\";q=0.1, "
       "application/openmetrics-text;q=0.5",
       "application/openmetrics-text;escaping"});
}

TEST(Negotiation, LeavesOutWhatHasNoWeight) {
  for (const char* weight : {"", "2", "1.1", "1.001", "0.0001", "-1", "0,5", ".5", "0.5x", "x",
                             "00", "+1", "1e0", "nan"}) {
    const std::string accept = std::string(kOpen) + ";q=" + weight;
    EXPECT_EQ(NegotiateFormat(accept), TextFormat::kClassic) << accept;
  }
  ExpectFormat(TextFormat::kOpenMetrics,
               {"application/openmetrics-text;q=1.", "application/openmetrics-text;q=\"1\""});
}

TEST(Negotiation, HostileFieldsCostNoMoreThanTheirLength) {
  std::string all;
  for (const std::string piece :
       {",", ";", "\"", "\\", "*/*,", ";q=", "a/b;c=d,", "\",", "application/openmetrics-text;"}) {
    std::string text;
    while (text.size() < 1'000'000) {
      text += piece;
    }
    all += text;
  }
  const auto begin = std::chrono::steady_clock::now();
  NegotiateFormat(all);
  // 9 MB; what took time by the square of the length would take hours.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
}

TEST(Negotiation, ContentTypesAreThoseOfTheFormats) {
  EXPECT_STREQ(ContentTypeOf(TextFormat::kOpenMetrics),
               "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_STREQ(ContentTypeOf(TextFormat::kOpenMetricsAsDraft),
               "application/openmetrics-text; version=0.0.1; charset=utf-8");
  EXPECT_STREQ(ContentTypeOf(TextFormat::kClassic), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace
}  // namespace sched_exporter
