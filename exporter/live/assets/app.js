// Asks the exporter for its figures at each step and shows them.

import { Chart, drawHeat, latencyText } from './charts.js';
import { Bars } from './distribution.js';
import { drawEvents } from './events.js';
import { clock, count, percent, perSecond, visible, waiting } from './format.js';
import { hashOf, readPlace } from './place.js';
import { SERIES, Table, columnsOf, factsOf, isOpened, matches } from './table.js';

const FEW = 30;
const MOST = 100;  // what one answer may hold
const EVENTS = 200;
const RETRY_MS = 2000;
const PATIENCE_MS = 10000;

const NOUNS = { group: ['group', 'groups'], cgroup: ['cgroup', 'cgroups'], process: ['process', 'processes'] };

const $ = (id) => document.getElementById(id);

let place = readPlace();
let answer = null;    // { place, list, opened, events } as they came last
let isPaused = false;
let stepTime = null;  // of the newest step
let stepSeen = 0;  // when it came, by this computer's clock
let showsMore = false;
let hasEvents = document.body.dataset.events === 'on';
let stepMs = 5000;
let timer = 0;
let asking = new AbortController();
let focusNext = null;  // what gets the focus once it is there

const table = new Table((sort) => go({ ...place, sort }));
const charts = {
  cpu: new Chart('cpu', 'CPU', SERIES.cpu.floor, percent),
  wait: new Chart('wait', 'Wait', SERIES.wait.floor, waiting),
  starts: new Chart('starts', 'Starts', SERIES.starts.floor, perSecond),
};
const bars = {
  runqueue_latency: new Bars('wait', 'Wait before timeslices', 'Wait for a CPU before each timeslice'),
  timeslice: new Bars('cpu', 'Timeslices', 'Length of timeslices'),
};
$('distributions').append(...Object.values(bars).map((figure) => figure.root));
$('charts').append(...Object.values(charts).map((chart) => chart.root));

// Asking.

async function get(path, fields) {
  const reply = await fetch(`${path}?${new URLSearchParams(fields)}`,
    { signal: AbortSignal.any([asking.signal, AbortSignal.timeout(PATIENCE_MS)]) });
  if (reply.status === 404) return null;
  if (!reply.ok) throw new Error(`it answers ${reply.status}`);
  return reply.json();
}

const listedView = ({ view, open }) => (open === null ? view : 'process');

function sortOf(where) {
  const fits = columnsOf(listedView(where)).some(({ key, sort }) => sort && key === where.sort);
  return fits ? where.sort : 'cpu';
}

// The exporter doesn't sort by processes. Who has most of them is among those with most threads.
const askedSort = (sort) => (sort === 'processes' ? 'threads' : sort);

// The fields of the request for the table.
function listFields(where) {
  const sort = sortOf(where);
  const all = showsMore || where.filter !== '' || where.open !== null || sort === 'processes';
  const fields = { view: listedView(where), sort: askedSort(sort), count: all ? MOST : FEW, history: 1 };
  if (where.open !== null && where.view === 'group') fields.group = where.open;
  return fields;
}

function openedFields({ view, sort }) {
  const fits = columnsOf(view).some((column) => column.sort && column.key === sort);
  return { view, sort: fits ? askedSort(sort) : 'cpu', count: MOST, history: 1 };
}

async function refresh() {
  clearTimeout(timer);
  asking.abort();
  const mine = asking = new AbortController();
  let wait = RETRY_MS;
  try {
    const where = place;
    const [list, opened, events] = await Promise.all([
      get('/api/v1/top', listFields(where)),
      where.open === null ? null : get('/api/v1/top', openedFields(where)),
      hasEvents ? get('/api/v1/events', { count: EVENTS }) : null,
    ]);
    if (list === null) throw new Error('it has this page switched off');
    hasEvents &&= events !== null;
    answer = { where, list, opened, events };
    stepMs = list.step_seconds * 1000;
    if (list.time !== stepTime) [stepTime, stepSeen] = [list.time, performance.now()];
    if (list.time !== null) wait = stepMs;
    showState(null);
    draw();
  } catch (error) {
    if (mine.signal.aborted) return;
    showState(error);
  }
  if (!isPaused && !document.hidden) timer = setTimeout(refresh, wait);
}

// Showing.

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function showState(error) {
  const at = answer?.list.time ? clock(answer.list.time) : '';
  // It answers, but its sweeps fail.
  const isOld = at && performance.now() - stepSeen > 3 * stepMs;
  const state = error ? 'gone' : isPaused ? 'paused' : isOld ? 'old' : 'live';
  $('state').dataset.state = state === 'old' ? 'gone' : state;
  setText($('state'), { gone: 'No answer', paused: `Paused at ${at}`, old: `Nothing new since ${at}`, live: at ? `Live ${at}` : 'Starting' }[state]);
  document.body.classList.toggle('stale', error !== null);
  $('gone').hidden = error === null;
  if (error) {
    const reason = error instanceof TypeError ? '' : `: ${error.message}`;
    setText($('gone'), `The exporter gives no answer${reason}. ` +
      (at ? `What you see is from ${at}; ` : '') + 'this page goes on when it is back.');
  }
}

function openedRow() {
  const { where, opened } = answer;
  return opened?.rows.find((row) => isOpened(where, row));
}

function drawHead({ host, cpus }) {
  const busy = host.cpu == null ? '' : ` · ${percent(Math.min(1, host.cpu / cpus))} busy`;
  setText($('host'), visible(host.name));
  setText($('summary'), `${cpus} CPU${cpus === 1 ? '' : 's'}${busy} · ${count(host.tasks)} threads`);
  document.title = `${visible(host.name)} – sched_exporter`;
}

function drawCharts({ host, cpus }, row) {
  const times = host.history?.time ?? [];
  const of = row ?? (answer.where.open === null ? host : {});
  const values = (name) => of.history?.[name] ?? times.map(() => null);
  const isHost = of === host;
  charts.cpu.draw(times, values('cpu'), percent(of.cpu), isHost ? `of ${cpus * 100} %` : '100 % is one CPU', isHost ? cpus : undefined);
  charts.wait.draw(times, values('wait'), waiting(of.wait), isHost ? 'by all threads' : 'by its threads');
  charts.starts.draw(times, values('starts'), perSecond(of.starts), 'forks and execs');
  charts.starts.root.hidden = answer.where.view === 'process' && answer.where.open !== null;
}

// Only cgroups have distributions, and only where the exporter has them from the kernel.
function drawDistributions({ view, open }, row, latency) {
  const isThere = view === 'cgroup' && open !== null && row !== undefined && latency?.exact === true;
  $('distributions').hidden = !isThere;
  if (!isThere) return;
  for (const [name, figure] of Object.entries(bars)) figure.draw(row[name], latency.bounds_seconds);
}

function drawOpened({ view, open }, row) {
  $('opened').hidden = open === null;
  if (open === null) return;
  setText($('back'), `← All ${NOUNS[view][1]}`);
  $('back').href = hashOf({ view, sort: place.sort });
  setText($('opened-name'), visible(row ? row.name : open));
  const facts = row ? factsOf(view, row) : [['', `Not among the ${MOST} ${NOUNS[view][1]} at the top; it may have ended.`]];
  $('facts').replaceChildren(...facts.map(([name, text]) => {
    const pair = document.createElement('div');
    pair.append(Object.assign(document.createElement('dt'), { textContent: name }),
      Object.assign(document.createElement('dd'), { textContent: text }));
    return pair;
  }));
}

function rowsOf({ where, list }) {
  const rows = where.open !== null && where.view === 'cgroup'
    ? list.rows.filter((row) => row.cgroup === where.open) : list.rows;
  if (sortOf(where) === 'processes') rows.sort((a, b) => b.processes - a.processes);
  return place.filter === '' ? rows : rows.filter((row) => matches(row, place.filter));
}

function drawList({ where, list }) {
  const isOpen = where.open !== null;
  $('list').hidden = isOpen && where.view === 'process';
  $('views').hidden = isOpen;
  $('list-title').classList.toggle('hidden', !isOpen);
  for (const tab of $('views').children) {
    const view = tab.id.slice('tab-'.length);
    tab.href = hashOf({ view, sort: place.sort });
    tab.setAttribute('aria-selected', String(view === where.view));
    tab.tabIndex = view === where.view ? 0 : -1;
  }
  for (const id of ['panel', 'table']) {
    $(id).setAttribute('aria-labelledby', isOpen ? 'list-title' : `tab-${where.view}`);
  }
  const rows = rowsOf({ where, list });
  table.setHead(listedView(where), sortOf(where));
  table.draw({ ...where, sort: sortOf(where) }, list.host.history?.time ?? [], rows);
  const of = list.total > rows.length ? ` of ${count(list.total)}` : '';
  const noun = NOUNS[listedView(where)][list.total === 1 ? 0 : 1];
  const folded = list.other?.folded ? ` Not listed (limits, filters, rules): ${count(list.other.folded)}.` : '';
  setText($('list-note'), list.time === null ? 'The first figures come in a few seconds.'
    : `${count(rows.length)}${of} ${noun}. CPU: 100 % is one CPU.${folded}`);
  $('more').hidden = showsMore || isOpen || place.filter !== '' || list.total <= FEW;
}

function drawLatency({ latency, host }) {
  const isThere = (latency?.columns.length ?? 0) > 0;
  $('latency').hidden = !isThere;
  if (!isThere) return;
  setText($('latency-note'), latencyText(latency));
  setText($('latency-kind'), latency.exact ? 'The wait before each timeslice.'
    : 'Wait before each timeslice: the mean of each process, weighted by its timeslices.');
  drawHeat($('heat'), host.history.time, latency);
}

function belongs(event) {
  const { where } = answer;
  if (where.open === null) return true;
  if (where.view === 'process') return String(event.pid) === where.open.split('@')[0];
  return event[where.view] === where.open;
}

function draw() {
  const row = openedRow();
  const { where, list, events } = answer;
  drawHead(list);
  drawOpened(where, row);
  drawCharts(list, row);
  drawDistributions(where, row, list.latency);
  drawList(answer);
  drawLatency(list);
  $('events').hidden = $('json-events').hidden = !hasEvents;
  if (events) drawEvents(events, belongs, $('failures').checked);
  $('json').href = '/api/v1/top?' + new URLSearchParams(listFields(where));
  if (document.activeElement !== $('filter')) $('filter').value = place.filter;
  moveFocus();
}

// Where one opens something, its heading has the focus; on the way back, its row.
function moveFocus() {
  if (focusNext === null) return;
  const node = answer.where.open !== null ? $('opened-name') : table.linkTo(focusNext);
  node?.focus({ preventScroll: answer.where.open === null });
  focusNext = null;
}

// Moving about.

// To a place of which the history of the browser knows nothing.
function go(next) {
  place = next;
  history.replaceState(null, '', hashOf(place));
  refresh();
}

addEventListener('hashchange', () => {
  const before = place;
  place = readPlace();
  if (before.open !== place.open) focusNext = place.open ?? before.open;
  if (place.open !== null) scrollTo(0, 0);
  refresh();
});

$('views').addEventListener('keydown', (event) => {
  const tabs = [...$('views').children];
  const step = { ArrowRight: 1, ArrowLeft: tabs.length - 1, Home: -tabs.indexOf(document.activeElement) }[event.key];
  const tab = step === undefined ? null : tabs[(tabs.indexOf(document.activeElement) + step) % tabs.length];
  if (tab === null && event.key !== ' ') return;
  event.preventDefault();
  (tab ?? document.activeElement).focus();
  (tab ?? document.activeElement).click();
});

$('filter').addEventListener('input', () => {
  const had = place.filter;
  place = { ...place, filter: $('filter').value.trim() };
  history.replaceState(null, '', hashOf(place));
  if (answer) draw();
  if (had === '' || place.filter === '') refresh();
});

$('more').addEventListener('click', () => {
  showsMore = true;
  refresh();
});

$('failures').addEventListener('change', () => draw());

$('pause').addEventListener('click', () => {
  isPaused = !isPaused;
  $('pause').textContent = isPaused ? 'Resume' : 'Pause';
  if (isPaused) {
    clearTimeout(timer);
    showState(null);
  } else {
    refresh();
  }
});

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !isPaused) refresh();
});

const redraw = () => answer && drawLatency(answer.list);
new ResizeObserver(redraw).observe($('heat'));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

refresh();
