#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "exporter/identity/pod_names.h"

namespace sched_exporter {
namespace {

constexpr char kUid[] = "0f3a1c52-6f0e-4a52-9d0b-9a6e0c5f1d11";
constexpr char kStaticUid[] = "8f1e6c3b2a7d4950b1c2d3e4f5a6b7c8";
constexpr char kMirrorUid[] = "e2b1f8aa-77d0-4a3d-8f67-4f6a7d3b1a02";
constexpr char kWaitingUid[] = "9d2c4a10-2b3c-4d5e-8f90-a1b2c3d4e5f6";
const PodName kWeb{"shop", "web-7c5ddbdf54-x2x9q"};
const PodName kEtcd{"kube-system", "etcd-node-1"};
const PodName kWaiting{"jobs", "batch-1"};

std::string Id(char digit) { return std::string(64, digit); }

/// A list as kubelets and others give it, which is a seed of the fuzz target, too.
std::string Sample(const std::string& name) {
  std::ifstream file(std::string(SOURCE_DIR "/tests/fuzz/corpus/pod_list/") + name);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

PodNames NamesIn(const std::string& json) {
  PodNames names;
  const auto read = ReadPodList(json, names);
  EXPECT_TRUE(read) << read.error().message;
  return names;
}

/// The middle of the error's line; the names stay as they were.
std::string ReasonOf(const std::string& json) {
  PodNames before;
  before.AddPod(kUid, kWeb);
  PodNames names = before;
  const auto read = ReadPodList(json, names);
  EXPECT_EQ(names, before);
  if (read) {
    return "";
  }
  const std::string& line = read.error().message;
  const std::string begin = "not a list of pods: ";
  const std::string end = "; expected the JSON that a kubelet gives for GET /pods";
  EXPECT_TRUE(line.starts_with(begin) && line.ends_with(end)) << line;
  return line.substr(begin.size(), line.size() - begin.size() - end.size());
}

std::string Item(const std::string& metadata, const std::string& status = "{}") {
  return R"({"metadata":)" + metadata + R"(,"status":)" + status + "}";
}

std::string List(const std::string& items) {
  return R"({"kind":"PodList","apiVersion":"v1","metadata":{},"items":[)" + items + "]}";
}

TEST(PodList, OfAKubelet) {
  PodNames expected;
  expected.AddPod(kUid, kWeb);
  expected.AddPod(kMirrorUid, kEtcd);
  expected.AddPod(kStaticUid, kEtcd);
  expected.AddPod(kWaitingUid, kWaiting);
  expected.AddContainer(Id('a'), {"migrate", kWeb});
  expected.AddContainer(Id('b'), {"app", kWeb});
  expected.AddContainer(Id('c'), {"debugger-5kqzt", kWeb});
  expected.AddContainer(Id('e'), {"etcd", kEtcd});
  expected.AddContainer(Id('f'), {"side", kWaiting});
  EXPECT_EQ(NamesIn(Sample("kubelet.json")), expected);
}

TEST(PodList, OfKubectl) {
  const PodNames names = NamesIn(Sample("kubectl.json"));
  EXPECT_EQ(names.pods().size(), 1U);
  EXPECT_NE(names.FindPod(kWaitingUid), nullptr);
}

// A nil slice of Go.
TEST(PodList, OfANodeWithoutPods) { EXPECT_EQ(NamesIn(Sample("no_pods.json")), PodNames()); }

TEST(PodList, FieldsMayBeMissingOrNull) {
  EXPECT_EQ(NamesIn(R"({"items":[]})"), PodNames());
  EXPECT_EQ(NamesIn(List(R"({}, null, {"metadata":null}, {"metadata":{"uid":null}})")), PodNames());
  EXPECT_EQ(NamesIn(List(Item("{}", R"({"containerStatuses":[{},null,{"containerID":null}]})"))),
            PodNames());
}

TEST(PodList, TheOrderOfFieldsIsFree) {
  const std::string list =
      R"({"items":[{"status":{"containerStatuses":[{"containerID":"containerd://)" + Id('b') +
      R"(","name":"app"}]},"metadata":{"namespace":"shop","uid":")" + kUid +
      R"(","name":"web-7c5ddbdf54-x2x9q"}}],"kind":"PodList"})";
  EXPECT_EQ(*NamesIn(list).FindContainer(Id('b')), (ContainerName{"app", kWeb}));
}

TEST(PodList, FieldsOfOtherObjectsAreNotTheirs) {
  const std::string nested =
      R"({"uid":7,"name":7,"x":{"uid":[7],"metadata":7},"annotations":{"uid":7}})";
  EXPECT_NE(ReasonOf(List(Item(nested))), "");  // its own uid is 7
  EXPECT_EQ(NamesIn(List(R"({"spec":)" + nested + R"(,"x":{"status":7,"items":7}})")), PodNames());
}

TEST(PodList, NamesAreCheckedLikeAnyOther) {
  EXPECT_EQ(NamesIn(List(Item(R"({"uid":")" + std::string(kUid) +
                              R"(","namespace":"a","name":"b\u0000\n\"c"})"))),
            PodNames());
}

TEST(PodList, AnAnnotationRenamesNoOther) {
  const std::string victim =
      R"({"uid":")" + std::string(kUid) + R"(","namespace":"shop","name":"web-7c5ddbdf54-x2x9q"})";
  const std::string liar = R"({"uid":")" + std::string(kWaitingUid) +
                           R"(","namespace":"evil","name":"p","annotations":)"
                           R"({"kubernetes.io/config.hash":")" +
                           kUid + R"("}})";
  EXPECT_EQ(*NamesIn(List(Item(victim) + "," + Item(liar))).FindPod(kUid), kWeb);
  EXPECT_EQ(*NamesIn(List(Item(liar) + "," + Item(victim))).FindPod(kUid), kWeb);
}

TEST(PodList, NamesOfOnePodDoNotReachTheNext) {
  const std::string first = R"({"uid":")" + std::string(kUid) + R"(","namespace":"a","name":"b"})";
  const std::string second = R"({"uid":")" + std::string(kWaitingUid) + R"("})";
  EXPECT_EQ(NamesIn(List(Item(first) + "," + Item(second))).pods().size(), 1U);
}

TEST(PodList, WrongTypesAreRefused) {
  EXPECT_EQ(ReasonOf("[]"), "the document is not an object");
  EXPECT_EQ(ReasonOf("7"), "the document is not an object");
  EXPECT_EQ(ReasonOf(R"({"items":{}})"), "\"items\" is not a list");
  EXPECT_EQ(ReasonOf(R"({"items":[7]})"), "an item is not an object");
  EXPECT_EQ(ReasonOf(Sample("wrong_type.json")), "\"uid\" in or after item 1 is not a string");
  EXPECT_EQ(ReasonOf(List("{}," + Item("[]"))), "\"metadata\" in or after item 2 is not an object");
  EXPECT_EQ(ReasonOf(List(Item("{}", R"({"containerStatuses":[[]]})"))),
            "a container status in or after item 1 is not an object");
  EXPECT_EQ(ReasonOf(List(Item("{}", R"({"initContainerStatuses":[{"containerID":true}]})"))),
            "\"containerID\" in or after item 1 is not a string");
}

TEST(PodList, OtherDocumentsAreRefused) {
  EXPECT_EQ(ReasonOf(Sample("forbidden.json")), "its kind is not PodList");
  EXPECT_EQ(ReasonOf("{}"), "it has no \"items\"");
  EXPECT_EQ(ReasonOf("null"), "it has no \"items\"");
  EXPECT_EQ(ReasonOf(""), "no valid JSON at byte 1");
  EXPECT_EQ(ReasonOf("Unauthorized"), "no valid JSON at byte 1");
  EXPECT_EQ(ReasonOf("{\"items\":[]} x"), "no valid JSON at byte 14");
  EXPECT_EQ(ReasonOf("{\"items\":[\"\xff\"]}"), "no valid JSON at byte 12");
}

TEST(PodList, EveryCutListIsRefused) {
  const std::string list = List(Item(R"({"uid":"a","annotations":{"b":1.5e3}})"));
  for (std::size_t size = 0; size < list.size(); ++size) {
    EXPECT_NE(ReasonOf(list.substr(0, size)), "") << size;
  }
}

TEST(PodList, DepthAndSizeAreBounded) {
  EXPECT_EQ(ReasonOf(Sample("deep.json")), "it nests more than 64 levels deep");
  std::string huge;
  huge.resize(kMostPodListBytes + 1, ' ');
  const std::string brackets(100'000, '[');
  EXPECT_EQ(ReasonOf(brackets), "the document is not an object");
  EXPECT_EQ(ReasonOf(R"({"x":)" + brackets), "it nests more than 64 levels deep");
  EXPECT_EQ(ReasonOf(huge), "it has more than 64 MiB");
}

TEST(PodList, OfTwoThatClaimAUidNeitherIsBelieved) {
  const auto pod = [](const std::string& uid, const std::string& name, const std::string& space) {
    return Item(R"({"uid":")" + uid + R"(","name":")" + name + R"(","namespace":")" + space +
                R"(","annotations":{"kubernetes.io/config.hash":")" + std::string(kStaticUid) +
                R"("}})");
  };
  const PodNames names =
      NamesIn(List(pod(kUid, "evil", "aaa") + "," + pod(kMirrorUid, "etcd-node-1", "kube-system")));
  EXPECT_EQ(names.FindPod(kStaticUid), nullptr);
  EXPECT_EQ(names.FindPod(kUid)->pod, "evil");
}

TEST(PodList, MorePodsThanFitAreCounted) {
  std::string items;
  for (std::size_t i = 0; i <= PodNames::kMostPods; ++i) {
    const std::string digits = std::to_string(i);
    items +=
        (items.empty() ? "" : ",") + Item(R"({"namespace":"a","name":"b","uid":")" +
                                          std::string(32 - digits.size(), '0') + digits + R"("})");
  }
  const PodNames names = NamesIn(List(items));
  EXPECT_TRUE(names.overflowed());
  EXPECT_EQ(names.pods().size(), PodNames::kMostPods);
}

}  // namespace
}  // namespace sched_exporter
