// Reads manifests as kubectl renders them. Run where node_modules is.
//   manifests.mjs validate FILE      holds each object against the published schemas; one line a fault
//   manifests.mjs same FILE FILE     the same objects, in whatever order
//   manifests.mjs pod FILE           the DaemonSet's pod as shell assignments
//   manifests.mjs admits FILE LABELS whether the NetworkPolicy lets in a pod with the labels (JSON)
//   manifests.mjs file FILE NAME     a file of a ConfigMap
//   manifests.mjs mutate FILE CODE   the objects after CODE changed them (`of("Kind")` finds one)
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";

const require = createRequire(process.cwd() + "/");
const yaml = require("js-yaml");

const read = (file) => yaml.loadAll(readFileSync(file, "utf8")).filter((object) => object);
const only = (objects, kind) => {
  const found = objects.filter((object) => object.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} objects of the kind ${kind}, not one`);
  return found[0];
};

function modelOf({ apiVersion, kind }) {
  const models = apiVersion.startsWith("monitoring.coreos.com/")
    ? "@kubernetes-models/prometheus-operator"
    : "kubernetes-models";
  const model = require(`${models}/${apiVersion}`)[kind];
  if (!model) throw new Error(`no schema for ${apiVersion} ${kind}`);
  return model;
}

// The schemas let unknown fields pass, and the API server prunes them in silence. What a validator
// never asks for is no field of its schema.
function watched(value, path, unseen) {
  if (typeof value !== "object" || value === null) return value;
  const children = new Map();
  for (const key of Object.keys(value)) {
    if (!Array.isArray(value)) unseen.add(`${path}/${key}`);
    children.set(key, watched(value[key], `${path}/${key}`, unseen));
  }
  return new Proxy(value, {
    get(target, key) {
      unseen.delete(`${path}/${String(key)}`);
      return children.has(key) ? children.get(key) : target[key];
    },
  });
}

function faultsOf(object) {
  const name = `${object.kind} ${object.metadata?.name}`;
  const unseen = new Set();
  try {
    modelOf(object).prototype.validate.call(watched(object, "", unseen));
  } catch (error) {
    return [`${name}: ${error.message}`];
  }
  return [...unseen].map((path) => `${name}: no such field: ${path}`);
}

function validate(file) {
  const objects = read(file);
  const faults = objects.flatMap(faultsOf);
  for (const fault of faults) console.log(fault);
  return objects.length > 0 && faults.length === 0;
}

// Versions of kustomize agree in all but the hash behind a ConfigMap's name.
function same(first, second) {
  const sorted = (file) => {
    let objects = read(file);
    for (const { metadata } of objects.filter(({ kind }) => kind === "ConfigMap")) {
      const name = metadata.name;
      const unhashed = name.replace(/-[a-z0-9]{10}$/, "");
      objects = JSON.parse(JSON.stringify(objects).replaceAll(`"${name}"`, `"${unhashed}"`));
    }
    return objects.sort((a, b) => `${a.kind}/${a.metadata.name}`.localeCompare(`${b.kind}/${b.metadata.name}`));
  };
  return isDeepStrictEqual(sorted(first), sorted(second));
}

const quoted = (text) => `'${String(text).replaceAll("'", `'\\''`)}'`;
const list = (values) => `(${values.map(quoted).join(" ")})`;

// Of each mount: the kind of its volume, where that comes from, where it goes, "ro" or "rw".
function mountsOf({ volumes }, { volumeMounts }) {
  return volumeMounts.flatMap(({ name, mountPath, readOnly }) => {
    const volume = volumes.find((other) => other.name === name);
    const kind = Object.keys(volume).find((key) => key !== "name");
    const from = volume[kind].path ?? volume[kind].name ?? volume[kind].secretName;
    return [kind, from, mountPath, readOnly ? "ro" : "rw"];
  });
}

function pod(file) {
  const { spec } = only(read(file), "DaemonSet").spec.template;
  const [container] = spec.containers;
  const own = container.securityContext;
  const pods = spec.securityContext;
  const probe = container.readinessProbe.httpGet;
  const values = {
    user: pods.runAsUser,
    group: pods.runAsGroup,
    groups: [...(pods.supplementalGroups ?? []), ...(pods.fsGroup ? [pods.fsGroup] : [])].join(","),
    non_root: pods.runAsNonRoot,
    dropped: own.capabilities.drop.join(" "),
    added: own.capabilities.add.join(" "),
    escalation: own.allowPrivilegeEscalation,
    read_only: own.readOnlyRootFilesystem,
    privileged: own.privileged ?? spec.hostNetwork ?? false,
    host_pid: spec.hostPID,
    port: container.ports[0].containerPort,
    scheme: (probe.scheme ?? "HTTP").toLowerCase(),
    memory: container.resources.limits.memory,
  };
  for (const [name, value] of Object.entries(values)) console.log(`pod_${name}=${quoted(value)}`);
  const probes = ["startupProbe", "readinessProbe", "livenessProbe"].map((name) => container[name].httpGet.path);
  console.log(`pod_args=${list(container.args)}`);
  console.log(`pod_probes=${list(probes)}`);
  console.log(`pod_mounts=${list(mountsOf(spec, container))}`);
  return true;
}

function selects({ matchLabels = {}, matchExpressions = [] }, labels) {
  const wanted = Object.entries(matchLabels).map(([key, value]) => ({ key, operator: "In", values: [value] }));
  return [...wanted, ...matchExpressions].every(({ key, operator, values }) => {
    if (operator !== "In") throw new Error(`the operator ${operator}`);
    return values.includes(labels[key]);
  });
}

function admits(path, labels) {
  const { ingress } = only(read(path), "NetworkPolicy").spec;
  return ingress.some(({ from }) => from.some(({ podSelector }) => selects(podSelector, JSON.parse(labels))));
}

function file(path, name) {
  process.stdout.write(only(read(path), "ConfigMap").data[name]);
  return true;
}

function mutate(path, code) {
  const objects = read(path);
  new Function("of", code)((kind) => only(objects, kind));
  process.stdout.write(objects.map((object) => yaml.dump(object)).join("---\n"));
  return true;
}

const [command, ...rest] = process.argv.slice(2);
process.exit({ validate, same, pod, admits, file, mutate }[command](...rest) ? 0 : 1);
