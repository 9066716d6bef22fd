// The table of groups, cgroups or processes. Rows stay in the document while they have the same
// key, so that focus and selection outlive a refresh.

import { Spark } from './charts.js';
import { quantileText } from './distribution.js';
import { count, percent, perSecond, visible, waiting } from './format.js';
import { hashOf } from './place.js';

// What sparks and charts show, and how.
export const SERIES = {
  cpu: { kind: 'cpu', what: 'CPU', floor: 0.01, text: percent },
  wait: { kind: 'wait', what: 'Wait', floor: 0.001, text: waiting },
  starts: { kind: 'starts', what: 'Starts', floor: 0.2, text: perSecond },
};

const LONGEST = 2 ** 24 * 1e-6;  // seconds; the last bound of the exporter's buckets

const COLUMNS = [
  { key: 'pid', title: 'PID', views: 'process', cell: (row) => String(row.pid) },
  { key: 'name', title: 'Name', sort: true },
  { key: 'user', title: 'User', views: 'process', cell: (row) => visible(row.user ?? '') },
  { key: 'cpu', title: 'CPU', sort: true, hint: 'CPU time in each second; 100 % is one CPU, as in top(1)', cell: (row) => percent(row.cpu) },
  { key: 'spark', title: 'Trend' },
  { key: 'wait', title: 'Wait', sort: true, hint: 'Time on run queues in each second, of all threads', cell: (row) => waiting(row.wait) },
  { key: 'latency', title: 'Latency', sort: true, views: 'cgroup', hint: 'Of 100 timeslices, 99 began at most so long after their task could run',
    cell: (row) => quantileText(row.runqueue_latency, 'p99', LONGEST) },
  { key: 'starts', title: 'Starts', sort: true, views: 'group cgroup', hint: 'Forks and execs in each second', cell: (row) => perSecond(row.starts) },
  { key: 'switches', title: 'Switches', sort: true, hint: 'Context switches in each second', cell: (row) => perSecond(row.switches) },
  { key: 'threads', title: 'Threads', sort: true, cell: (row) => count(row.threads) },
  { key: 'processes', title: 'Processes', sort: true, views: 'group cgroup', cell: (row) => count(row.processes) },
];

export const columnsOf = (view) => COLUMNS.filter((column) => column.views?.split(' ').includes(view) ?? true);

// What tells rows of one answer apart.
const keyOf = (view, row) => (view === 'process' ? String(row.pid) : JSON.stringify([row.name, row.labels]));

// How a row is named in the address of the page.
const openOf = (view, row) => (view === 'process' ? `${row.pid}@${Math.round(row.start_time)}` : row.name);

export function isOpened({ view, open }, row) {
  if (view !== 'process') return row.name === open;
  const [pid, start] = open.split('@').map(Number);
  return row.pid === pid && Math.abs(row.start_time - start) < 2;
}

// What stands beside a name in small letters: labels that the name doesn't tell anyway.
function besides(view, row) {
  if (view !== 'process') {
    return Object.entries(row.labels ?? {}).filter(([, value]) => !row.name.includes(value))
      .map(([name, value]) => `${name}=${value}`);
  }
  return row.group && row.group !== row.name ? [row.group] : [];
}

export const matches = (row, words) => {
  const text = [row.name, row.pid, row.user, row.group, row.exe, row.cgroup, ...Object.values(row.labels ?? {})].join(' ').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
};

export class Table {
  constructor(onSort) {
    this.head = document.getElementById('head');
    this.body = document.getElementById('rows');
    this.table = document.getElementById('table');
    this.select = document.getElementById('sort');
    this.onSort = onSort;
    this.rows = new Map();
    this.select.addEventListener('change', () => onSort(this.select.value));
    this.body.addEventListener('click', (event) => {
      const link = event.target.closest('tr')?.querySelector('a');
      if (link && event.target.closest('a') === null && getSelection().isCollapsed) link.click();
    });
  }

  // The head for a view, made anew only when it changes.
  setHead(view, sort) {
    if (this.view !== view) {
      this.view = view;
      this.head.replaceChildren(...columnsOf(view).map((column) => this.headCell(column)));
      this.select.replaceChildren(...columnsOf(view).filter((c) => c.sort).map((c) => new Option(c.title, c.key)));
      this.body.replaceChildren();
      this.rows.clear();
    }
    this.table.dataset.sort = sort;
    this.select.value = sort;
    for (const cell of this.head.children) {
      if (cell.dataset.column === sort) {
        cell.setAttribute('aria-sort', sort === 'name' ? 'ascending' : 'descending');
      } else {
        cell.removeAttribute('aria-sort');
      }
    }
  }

  headCell({ key, title, sort, hint }) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.dataset.column = key;
    if (!sort) {
      cell.textContent = title;
      return cell;
    }
    const button = cell.appendChild(document.createElement('button'));
    button.type = 'button';
    button.textContent = title;
    if (hint) button.title = hint;
    button.addEventListener('click', () => this.onSort(key));
    return cell;
  }

  // `place`: the view, the sort and what the links of the rows lead to.
  draw(place, times, rows) {
    const view = this.view;
    const series = SERIES[place.sort] && !(view === 'process' && place.sort === 'starts') ? place.sort : 'cpu';
    const most = Math.max(0.01, ...rows.map((row) => row.cpu ?? 0));
    const focused = document.activeElement;
    const seen = new Set();
    let next = this.body.firstElementChild;
    for (const row of rows) {
      const key = keyOf(view, row);
      if (seen.has(key)) continue;
      seen.add(key);
      const entry = this.rows.get(key) ?? this.addRow(key);
      this.fill(entry, place, row, most);
      if (times.length > 0 && row.history) entry.spark.draw(times, row.history[series] ?? [], SERIES[series]);
      if (entry.line === next) {
        next = next.nextElementSibling;
      } else {
        this.body.insertBefore(entry.line, next);
      }
    }
    for (const [key, entry] of this.rows) {
      if (!seen.has(key)) {
        entry.line.remove();
        this.rows.delete(key);
      }
    }
    // A row that was moved has lost the focus.
    if (focused !== document.activeElement && this.body.contains(focused)) focused.focus({ preventScroll: true });
  }

  linkTo(open) {
    return [...this.rows.values()].find((entry) => entry.open === open)?.link;
  }

  addRow(key) {
    const line = document.createElement('tr');
    const entry = { line, cells: {}, spark: new Spark() };
    for (const column of columnsOf(this.view)) {
      const cell = line.appendChild(document.createElement(column.key === 'name' ? 'th' : 'td'));
      cell.dataset.column = column.key;
      entry.cells[column.key] = cell;
    }
    entry.cells.name.scope = 'row';
    entry.link = entry.cells.name.appendChild(document.createElement('a'));
    entry.text = entry.link.appendChild(document.createElement('bdi'));
    entry.small = entry.cells.name.appendChild(document.createElement('small'));
    entry.cells.spark.append(entry.spark.svg);
    this.rows.set(key, entry);
    return entry;
  }

  fill(entry, place, row, most) {
    const set = (node, text) => {
      if (node.textContent !== text) node.textContent = text;
    };
    set(entry.text, visible(row.name));
    set(entry.small, besides(this.view, row).map(visible).join(' '));
    entry.link.title = visible(row.exe || row.name);
    entry.link.href = hashOf({ view: this.view, sort: place.sort, open: openOf(this.view, row) });
    entry.open = openOf(this.view, row);
    for (const column of columnsOf(this.view)) {
      if (column.cell) set(entry.cells[column.key], column.cell(row));
    }
    entry.cells.cpu.style.setProperty('--share', `${((row.cpu ?? 0) / most * 100).toFixed(1)}%`);
  }
}

// What is known of an opened row, as pairs of a name and a text.
export function factsOf(view, row) {
  const facts = Object.entries(row.labels ?? {});
  if (view === 'process') {
    facts.push(['PID', String(row.pid)], ['user', row.user], ['group', row.group], ['cgroup', row.cgroup], ['program', row.exe]);
    if (row.start_time) facts.push(['started', new Date(row.start_time * 1000).toLocaleString('sv')  /* 2026-11-21 12:21:23 */]);
  } else {
    facts.push(['processes', count(row.processes)]);
  }
  facts.push(['threads', count(row.threads)], ['switches', perSecond(row.switches)]);
  if (row.cpu_seconds != null) facts.push(['CPU time counted', `${row.cpu_seconds.toFixed(2)} s`]);
  return facts.filter(([, text]) => text).map(([name, text]) => [name, visible(text)]);
}
