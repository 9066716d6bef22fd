#include "exporter/app/landing_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <map>
#include <vector>

#include "exporter/http/reply.h"
#include "exporter/live/assets.h"

namespace sched_exporter {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

constexpr LiveParts kAll{.top = true, .events = true};

std::map<std::string, HttpResponse> Pages(const std::string& telemetry_path, LiveParts parts) {
  std::vector<HttpRoute> routes;
  AddLandingRoutes(
      telemetry_path, [parts] { return parts; }, routes);
  std::map<std::string, HttpResponse> pages;
  for (const HttpRoute& route : routes) {
    pages[route.path] = route.handler({});
  }
  return pages;
}

TEST(LandingPage, LinkOnlyToWhatIsServed) {
  auto pages = Pages("/metrics", kAll);
  for (auto& [path, page] : pages) {
    const RE2 link(R"re((?:src="|href="|from '\.)(/[^"'#]*))re");
    re2::StringPiece rest(page.body);
    std::string target;
    while (RE2::FindAndConsume(&rest, link, &target)) {
      if (path.ends_with(".js")) target.insert(0, "/assets");
      if (!target.starts_with("/assets/")) continue;
      EXPECT_THAT(pages, Contains(Key(target))) << path;
    }
  }
}

TEST(LandingPage, HaveTypesThatBrowsersTake) {
  auto pages = Pages("/metrics", kAll);
  EXPECT_EQ(pages.at("/").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(pages.at("/assets/app.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(pages.at("/assets/style.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(pages.at("/assets/icon.svg").content_type, "image/svg+xml");
}

TEST(LandingPage, NameNoOtherHostAndHaveNothingInline) {
  std::size_t size = 0;
  for (const Asset& asset : LiveAssets()) {
    std::string body(asset.body);
    size += body.size();
    RE2::GlobalReplace(&body, "http://www.w3.org/2000/svg", "");  // names a format, nobody asks it
    EXPECT_FALSE(RE2::PartialMatch(body, R"((https?:)?//[a-z])")) << asset.name;
    EXPECT_FALSE(RE2::PartialMatch(body, R"(innerHTML|outerHTML|insertAdjacent|document\.write)"))
        << asset.name;
    if (asset.name.ends_with(".html")) {
      EXPECT_FALSE(RE2::PartialMatch(body, R"(<style|<script[^>]*>[^<]|\s(style|on[a-z]+)=)"))
          << asset.name;
    }
  }
  EXPECT_GT(size, 10'000U);
  EXPECT_LT(size, 54U * 1024) << "the page is meant to be small";
}

TEST(LandingPage, RunNoInlineScriptAndAskNoOtherHost) {
  const Reply reply = RenderReply(Pages("/metrics", kAll).at("/"), "OK", {});
  EXPECT_THAT(reply.head,
              HasSubstr("Content-Security-Policy: default-src 'none'; script-src 'self'; "
                        "style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
                        "form-action 'none'; frame-ancestors 'none'\r\n"));
}

TEST(LandingPage, AreFilledIn) {
  for (const LiveParts parts : {kAll, LiveParts{}, LiveParts{.top = true, .events = false}}) {
    const std::string page = Pages("/a\"b", parts).at("/").body;
    EXPECT_THAT(page, Not(HasSubstr("{{")));
    EXPECT_THAT(page, HasSubstr("href=\"/a&quot;b\""));
    EXPECT_THAT(page, HasSubstr("ersion "));
  }
}

TEST(LandingPage, SayWhichPartsAreThere) {
  EXPECT_THAT(Pages("/metrics", kAll).at("/").body, HasSubstr("data-events=\"on\""));
  const LiveParts top{.top = true, .events = false};
  EXPECT_THAT(Pages("/metrics", top).at("/").body, HasSubstr("data-events=\"off\""));
}

TEST(LandingPage, ArePlainLinksWhereTheTopIsOff) {
  const std::string page = Pages("/metrics", {}).at("/").body;
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  for (const char* link : {"href=\"/metrics\"", "href=\"/healthz\"", "href=\"/readyz\""}) {
    EXPECT_THAT(page, HasSubstr(link));
  }
}

}  // namespace
}  // namespace sched_exporter
