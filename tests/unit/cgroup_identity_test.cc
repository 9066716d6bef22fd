#include "exporter/identity/cgroup_identity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace sched_exporter {

void PrintTo(const CgroupIdentity& identity, std::ostream* out) {
  *out << "unit " << identity.unit << ", slice " << identity.slice << ", owner_uid "
       << identity.owner_uid << ", runtime " << identity.runtime << ", container_id "
       << identity.container_id << ", pod_uid " << identity.pod_uid << ", qos " << identity.qos;
}

namespace {

const std::string kId(64, 'a');
const std::string kOtherId(64, 'b');
const std::string kUid = "0d137909-8596-495c-92b3-048a901457b2";
const std::string kOtherUid = "11111111-2222-3333-4444-555555555555";
const std::string kEscapedUid = "0d137909_8596_495c_92b3_048a901457b2";
const std::string kUserManager = "/user.slice/user-1000.slice/user@1000.service";

struct Seen {
  std::string source;
  std::string path;
  CgroupIdentity identity;
};

/// cgroup_paths.txt; its head has the format.
std::vector<Seen> ReadSeen() {
  std::ifstream file(SOURCE_DIR "/tests/unit/cgroup_paths.txt");
  std::vector<Seen> all;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') {
      continue;
    }
    const std::size_t space = line.find(' ');
    const std::string key = line.substr(0, space);
    if (key == "source") {
      all.emplace_back();
    }
    Seen& seen = all.back();
    const std::map<std::string, std::string*> fields{{"source", &seen.source},
                                                     {"path", &seen.path},
                                                     {"unit", &seen.identity.unit},
                                                     {"slice", &seen.identity.slice},
                                                     {"owner_uid", &seen.identity.owner_uid},
                                                     {"runtime", &seen.identity.runtime},
                                                     {"container_id", &seen.identity.container_id},
                                                     {"pod_uid", &seen.identity.pod_uid},
                                                     {"qos", &seen.identity.qos}};
    *fields.at(key) = line.substr(space + 1);
  }
  return all;
}

TEST(CgroupIdentity, OfPathsThatWereSeen) {
  const std::vector<Seen> all = ReadSeen();
  EXPECT_GE(all.size(), 100);
  for (const Seen& seen : all) {
    EXPECT_EQ(IdentityOfCgroup(seen.path), seen.identity) << seen.path << "\n" << seen.source;
  }
}

TEST(CgroupIdentity, TheRootTellsNothing) {
  for (const char* path : {"", "/", "//", "..", "/.."}) {
    EXPECT_EQ(IdentityOfCgroup(path), CgroupIdentity()) << path;
  }
}

TEST(CgroupIdentity, KnowsEachEngineWithAndWithoutSystemd) {
  struct Shape {
    std::string path;
    std::string runtime;
  };
  const Shape shapes[] = {
      {"/system.slice/docker-" + kId + ".scope", "docker"},
      {"/docker/" + kId, "docker"},
      {"/docker/" + kId + "/init", "docker"},
      {"/lxc.payload.web/docker/" + kId, "docker"},
      {"/system.slice/nerdctl-" + kId + ".scope", "containerd"},
      {"/system.slice/cri-containerd-" + kId + ".scope", "containerd"},
      {"/k8s.io/" + kId, "containerd"},
      {"/crio-" + kId, "cri-o"},
      {"/system.slice/crio-" + kId + ".scope", "cri-o"},
      {"/libpod_parent/libpod-" + kId, "podman"},
      {"/machine.slice/libpod-" + kId + ".scope/container", "podman"},
      {"/system.slice:docker:" + kId, "docker"},
      {"/system.slice/libpod-" + kId + ".scope (deleted)", "podman"},
  };
  for (const Shape& shape : shapes) {
    const CgroupIdentity identity = IdentityOfCgroup(shape.path);
    EXPECT_EQ(identity.runtime, shape.runtime) << shape.path;
    EXPECT_EQ(identity.container_id, kId) << shape.path;
    EXPECT_EQ(identity.pod_uid + identity.qos + identity.unit, "") << shape.path;
  }
}

TEST(CgroupIdentity, TheInnermostContainerWins) {
  const std::string outer[] = {"/docker/" + kId, "/system.slice/docker-" + kId + ".scope",
                               "/machine.slice/libpod-" + kId + ".scope/container",
                               "/kubepods/burstable/pod" + kUid + "/" + kId,
                               "/kubepods/pod" + kUid + "/crio-" + kId};
  for (const std::string& path : outer) {
    for (const std::string inner : {"/docker/", "/a/b/libpod-", "/system.slice:docker:"}) {
      const CgroupIdentity identity = IdentityOfCgroup(path + inner + kOtherId);
      EXPECT_EQ(identity.container_id, kOtherId) << path + inner;
      EXPECT_EQ(identity.pod_uid, "") << "the pod of " << path << " has no such container";
      EXPECT_EQ(identity.qos, "");
    }
  }
}

TEST(CgroupIdentity, APodInAContainerIsNotInThatContainer) {
  const std::string node = "/docker/" + kId;
  const std::string pods[] = {
      node + "/kubelet/kubepods/burstable/pod" + kUid,
      node + "/kubelet.slice/kubelet-kubepods-burstable-pod" + kEscapedUid + ".slice",
      node + "/kubepods/pod" + kOtherUid + "/" + kId + "/kubepods/burstable/pod" + kUid};
  for (const std::string& path : pods) {
    const CgroupIdentity pod = IdentityOfCgroup(path);
    EXPECT_EQ(pod.container_id + pod.runtime, "") << path;
    EXPECT_EQ(pod.pod_uid, kUid);
    EXPECT_EQ(pod.qos, "burstable");
    EXPECT_EQ(IdentityOfCgroup(path + "/" + kOtherId).container_id, kOtherId);
    EXPECT_EQ(IdentityOfCgroup(path + "/" + kOtherId).pod_uid, kUid);
    // Only a child of the pod's own directory is its container.
    EXPECT_EQ(IdentityOfCgroup(path + "/" + kOtherId + "/" + kId).container_id, kOtherId);
    EXPECT_EQ(IdentityOfCgroup(path + "/x/" + kOtherId).container_id, "");
    EXPECT_EQ(IdentityOfCgroup(path + "/x/crio-" + kOtherId).pod_uid, "");
  }
}

TEST(CgroupIdentity, OfTheSystemdInAContainerNothingIsTold) {
  for (const std::string scope : {"docker-", "cri-containerd-", "crio-", "libpod-"}) {
    const std::string path = "/a.slice/" + scope + kId + ".scope";
    CgroupIdentity container = IdentityOfCgroup(path);
    EXPECT_EQ(container.unit, "");
    EXPECT_EQ(container.slice, "a.slice");
    EXPECT_EQ(IdentityOfCgroup(path + "/system.slice/nginx.service"), container);
    EXPECT_EQ(IdentityOfCgroup(path + "/user.slice/user-0.slice/session-1.scope"), container);
  }
}

TEST(CgroupIdentity, AUsersNamesAreMarkedAsTheUsers) {
  const std::string pretended[] = {
      "/kubepods/pod" + kUid + "/" + kId,
      "/kubepods.slice/kubepods-pod" + kEscapedUid + ".slice/crio-" + kId + ".scope",
      "/docker/" + kId,
      "/system.slice/nginx.service",
      "/user.slice/user-0.slice/user@0.service/system.slice/nginx.service",
      "/app.slice/a.service/docker/" + kId,
  };
  for (const std::string& path : pretended) {
    EXPECT_EQ(IdentityOfCgroup(path).owner_uid.size(), path.find("user-0") < path.size() ? 1 : 0);
    EXPECT_EQ(IdentityOfCgroup(kUserManager + path).owner_uid, "1000") << path;
    EXPECT_EQ(IdentityOfCgroup("/user.slice/user@1000.service" + path).owner_uid, "1000");
  }
}

TEST(CgroupIdentity, UnitsAreOnlyWhereSystemdMakesThem) {
  EXPECT_EQ(IdentityOfCgroup("/a.service/b.service").unit, "a.service");
  EXPECT_EQ(IdentityOfCgroup("/a/b.service").unit, "");
  EXPECT_EQ(IdentityOfCgroup("/system.slice/a/b.slice/c.service").slice, "system.slice");
  EXPECT_EQ(IdentityOfCgroup(kUserManager + "/init.scope").unit, "init.scope");
  EXPECT_EQ(IdentityOfCgroup(kUserManager + "/a.slice/x/b.service").unit, "user@1000.service");
  EXPECT_EQ(IdentityOfCgroup("/lxc.payload.web/system.slice/a.service"), CgroupIdentity());
  for (const std::string type : {"service", "scope", "socket", "mount", "swap"}) {
    EXPECT_EQ(IdentityOfCgroup("/system.slice/x@1." + type).unit, "x@1." + type);
  }
  for (const std::string name :
       {"a", "a.target", ".service", "a@.service", "@a.service", "a b.service", "a\n.service",
        "a/.service", "\xff.service", "a.service ", "A.SERVICE"}) {
    EXPECT_EQ(IdentityOfCgroup("/system.slice/" + name).unit, "") << name;
  }
  const std::string longest(247, 'x');
  EXPECT_EQ(IdentityOfCgroup("/" + longest + ".service").unit, longest + ".service");
  EXPECT_EQ(IdentityOfCgroup("/x" + longest + ".service").unit, "");
}

void ExpectNobody(const std::string& path) {
  const CgroupIdentity identity = IdentityOfCgroup(path);
  EXPECT_EQ(identity.container_id + identity.runtime + identity.pod_uid + identity.qos, "") << path;
}

TEST(CgroupIdentity, UnknownShapesOfContainersTellNothing) {
  const std::string upper(64, 'A');
  const std::string short_id(63, 'a');
  for (const std::string& id :
       {upper, short_id, kId + "a", short_id + "g", short_id + std::string(1, '\0'), kUid}) {
    for (const std::string before :
         {"/docker/", "/docker-", "/system.slice/docker-", "/k8s.io/", "/crio-", "/libpod-",
          "/libpod-payload-", "/system.slice:docker:"}) {
      ExpectNobody(before + id);
      ExpectNobody(before + id + ".scope");
    }
  }
  for (const std::string before : {"/",
                                   "/Docker/",
                                   "/docker/x/",
                                   "/dockers/",
                                   "/actions_job/",
                                   "/default/",
                                   "/docker/buildx/",
                                   "/x-",
                                   "/mydocker-",
                                   "/docker_",
                                   "/docker--",
                                   "/docker/x-",
                                   "/libpod-conmon-",
                                   "/crio-conmon-",
                                   "/system.slice:x:",
                                   "/system:docker:",
                                   "/:docker:",
                                   "/docker:",
                                   "/:",
                                   "/system.slice:docker-",
                                   "/system.slice::"}) {
    ExpectNobody(before + kId);
    ExpectNobody(before + kId + ".service");
  }
  ExpectNobody("/docker/" + kId + ".scope");
  ExpectNobody("/docker-" + kId + ".scope.scope");
}

TEST(CgroupIdentity, UnknownShapesOfPodsTellNothing) {
  const std::string uids[] = {"",
                              kUid.substr(1),
                              kUid + "0",
                              "0D137909-8596-495c-92b3-048a901457b2",
                              "0d137909-8596-495c_92b3-048a901457b2",
                              "0d137909.8596.495c.92b3.048a901457b2",
                              "0d1379098-596-495c-92b3-048a901457b2",
                              "0d137909-8596-495c-92b3-048a901457bg",
                              std::string(31, '0'),
                              std::string(33, '0'),
                              std::string(36, '-'),
                              std::string(36, '0')};
  for (const std::string& uid : uids) {
    ExpectNobody("/kubepods/pod" + uid);
    ExpectNobody("/kubepods/pod" + uid + "/" + kId);
    ExpectNobody("/kubepods.slice/kubepods-pod" + uid + ".slice");
    ExpectNobody("/kubepods.slice/kubepods-burstable-pod" + uid + ".slice/" + kId);
  }
  for (const std::string before :
       {"/pod", "/burstable/pod", "/x/burstable/pod", "/kubepods/guaranteed/pod",
        "/kubepods/burstable/x/pod", "/kubepods/x/pod", "/Kubepods/pod", "/kubepods/"}) {
    ExpectNobody(before + kUid);
    ExpectNobody(before + kUid + "/" + kId);
  }
  for (const std::string before :
       {"pod", "-pod", "x-pod", "mykubepods-pod", "kubepods-pod-", "kubepods-guaranteed-pod",
        "kubepods-burstable-burstable-pod", "kubepods-besteffort-x-pod", "kubepodspod"}) {
    ExpectNobody("/" + before + kEscapedUid + ".slice/" + kId);
  }
  ExpectNobody("/kubepods-pod" + kEscapedUid + ".scope/" + kId);
}

/// What holds for any bytes; the fuzz target asks the same.
void ExpectSound(const std::string& path) {
  const CgroupIdentity identity = IdentityOfCgroup(path);
  EXPECT_TRUE(identity.container_id.empty() || identity.container_id.size() == 64);
  EXPECT_EQ(identity.pod_uid.empty(), identity.qos.empty());
  EXPECT_TRUE(identity.runtime.empty() || !identity.container_id.empty());
  for (const std::string& field :
       {identity.unit, identity.slice, identity.owner_uid, identity.container_id}) {
    EXPECT_NE(path.find(field), std::string::npos);
    EXPECT_TRUE(std::all_of(field.begin(), field.end(), [](char c) { return c > ' ' && c < 127; }));
  }
}

TEST(CgroupIdentity, TakesAnyBytes) {
  std::mt19937 random(20);
  const std::vector<Seen> all = ReadSeen();
  const std::string special("/\0-_.:@\\ \n\xffpod0aA", 17);
  for (int round = 0; round < 200; ++round) {
    for (const Seen& seen : all) {
      std::string path = seen.path;
      for (int change = round % 4; change >= 0; --change) {
        path[random() % path.size()] = special[random() % special.size()];
      }
      path.insert(random() % path.size(), all[random() % all.size()].path, 0, random() % 200);
      ExpectSound(path);
      ExpectSound(path.substr(random() % path.size()));
    }
  }
}

/// Of a megabyte of anything, though the kernel cuts paths at a page.
TEST(CgroupIdentity, TakesLinearTime) {
  using Clock = std::chrono::steady_clock;
  for (const std::string& piece :
       {std::string("/"), std::string("/a"), std::string("-pod"), std::string(":"), kId,
        "/docker/" + kId, "/kubepods/pod" + kUid, std::string("/a.slice"), std::string(".slice")}) {
    const auto shortest = [&](std::size_t size) {
      std::string path;
      while (path.size() < size) {
        path += piece;
      }
      Clock::duration best = Clock::duration::max();
      for (int i = 0; i < 5; ++i) {
        const auto start = Clock::now();
        IdentityOfCgroup(path);
        best = std::min(best, Clock::now() - start);
      }
      return best;
    };
    // 16 times as long; 256 would be the square.
    EXPECT_LT(shortest(1 << 20), 96 * shortest(1 << 16) + std::chrono::milliseconds(5)) << piece;
  }
}

}  // namespace
}  // namespace sched_exporter
