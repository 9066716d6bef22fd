// Distributions of a cgroup on the live page: the bars, what a screen reader has of them, the
// column.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/http_client.h"
#include "tests/support/live_api.h"
#include "tests/support/live_page.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Counts = std::vector<std::uint64_t>;

class LiveDistribution : public LivePage {
 protected:
  /// A cgroup in which timeslices of 2 ms end all the time.
  void Open() {
    Start(std::string(kShortSteps) + "cgroup: {hierarchy: " + host_.hierarchy + "}\n");
    children_.Start("page-slices", [this] {
      if (!is_inside_) {
        is_inside_ = cgroup_.Add(0);
      }
      Burn(milliseconds(2));
      std::this_thread::sleep_for(milliseconds(5));
    });
    ASSERT_TRUE(WaitUntil([this] { return Row().is_object(); }));
    LivePage::Open("#view=cgroup&open=" + cgroup_.label());
    ASSERT_TRUE(
        browser_->Await("document.querySelector('#bars-cpu svg')?.checkVisibility() === true"));
  }

  /// The cgroup in the API, where timeslices of it ended.
  Json Row() const {
    const Json answer = GetJson(*exporter_, "/api/v1/top?view=cgroup&count=100");
    for (const Json& row : answer["rows"]) {
      if (row["name"] == cgroup_.label() && row["timeslice"].is_object()) {
        return row;
      }
    }
    return nullptr;
  }

  /// What the page's tables for screen readers have in their cells.
  Counts CountsOnPage(const std::string& kind) {
    return browser_
        ->Value("[...document.querySelectorAll('#bars-" + kind +
                " tbody td')].map((cell) => Number(cell.textContent.replaceAll(',', '')))")
        .get<Counts>();
  }

  const CgroupHost host_ = TestableHierarchies().front();
  const TestCgroup cgroup_{host_, "page_slices"};
  bool is_inside_ = false;
  Children children_;
};

/// Buckets that have any.
Counts Used(const Json& distribution) {
  Counts counts = distribution["buckets"].get<Counts>();
  std::erase(counts, std::uint64_t{0});
  return counts;
}

TEST_F(LiveDistribution, HasABarForEachBucketThatTheApiHas) {
  ASSERT_NO_FATAL_FAILURE(Open());
  // The step may change between the one question and the other.
  EXPECT_TRUE(WaitUntil([&] {
    const Json row = Row();
    return row.is_object() && CountsOnPage("cpu") == Used(row["timeslice"]) &&
           CountsOnPage("wait") == Used(row["runqueue_latency"]);
  }));
  for (const std::string kind : {"cpu", "wait"}) {
    const std::string figure = "document.querySelector('#bars-" + kind + "')";
    const std::string path =
        browser_->Text(figure + ".querySelector('.bar-path').getAttribute('d')");
    EXPECT_EQ(static_cast<std::size_t>(std::count(path.begin(), path.end(), 'M')),
              CountsOnPage(kind).size())
        << path;
    EXPECT_THAT(browser_->Text(figure + ".querySelector('svg').ariaLabel"),
                HasSubstr(" timeslices. Half within "));
    EXPECT_THAT(browser_->Text(figure + ".querySelector('caption').textContent"),
                HasSubstr(", 99"));
  }
  EXPECT_EQ(Console(), "");
}

TEST_F(LiveDistribution, ThePointerReadsABar) {
  ASSERT_NO_FATAL_FAILURE(Open());
  const std::string reading = browser_->Text(R"js((() => {
    const plot = document.querySelector('#bars-cpu .plot');
    const { left, width } = plot.getBoundingClientRect();
    plot.dispatchEvent(new PointerEvent('pointermove', { clientX: left + width * 11.5 / 26 }));
    return document.querySelector('#bars-cpu .reading').textContent;
  })())js");
  EXPECT_THAT(reading, StartsWith("1\u202fms to 2\u202fms: "));
}

TEST_F(LiveDistribution, EveryPictureAndTableHasAName) {
  ASSERT_NO_FATAL_FAILURE(Open());
  std::vector<std::string> names;
  const auto tree = browser_->DevTools("Accessibility.getFullAXTree", Json::object());
  for (const auto& node : tree.value("nodes", Json::array())) {
    const std::string role = node.value("ignored", false) ? "" : node["role"].value("value", "");
    if (role == "table" || role == "img" || role == "image") {
      names.push_back(node["name"].value("value", ""));
    }
  }
  EXPECT_THAT(names, Not(::testing::Contains("")));
  for (const std::string name : {"Wait for a CPU before each timeslice", "Length of timeslices"}) {
    EXPECT_EQ(std::count_if(names.begin(), names.end(),
                            [&](const std::string& text) { return text.starts_with(name); }),
              2)
        << name << ": the picture and the table";
  }
}

TEST_F(LiveDistribution, OnlyCgroupsHaveThem) {
  ASSERT_NO_FATAL_FAILURE(Open());
  LivePage::Open("#view=group&open=page-slices");
  EXPECT_EQ(browser_->Value("document.querySelector('#distributions').hidden"), true);
  LivePage::Open("#view=cgroup");
  EXPECT_EQ(browser_->Value("document.querySelector('#distributions').hidden"), true);
  EXPECT_THAT(Column("latency"), Not(IsEmpty()));
  LivePage::Open("#view=group");
  EXPECT_THAT(Column("latency"), IsEmpty());
}

TEST_F(LiveDistribution, CgroupsAreSortedByTheirLongestWaits) {
  ASSERT_NO_FATAL_FAILURE(Open());
  LivePage::Open("#view=cgroup");
  browser_->Click("#head [data-column=latency] button");
  ASSERT_TRUE(browser_->Await("document.querySelector('#head [data-column=latency]').ariaSort"));
  EXPECT_EQ(Sorting(), "latency descending");
  const std::vector<double> figures = Figures("latency");
  EXPECT_THAT(figures, Not(IsEmpty()));
  EXPECT_TRUE(std::is_sorted(figures.rbegin(), figures.rend()));
}

TEST_F(LiveDistribution, WhereTheyAreNotCountedThereAreNone) {
  Start(std::string(kShortSteps) + "histograms: {timeslice: false, runqueue_latency: false}\n");
  LivePage::Open("#view=cgroup&open=/");
  EXPECT_EQ(browser_->Value("document.querySelector('#distributions').hidden"), true);
  EXPECT_THAT(browser_->Text("document.querySelector('#latency-kind').textContent"),
              HasSubstr("mean of each process"));
}

}  // namespace
}  // namespace sched_exporter::test_support
