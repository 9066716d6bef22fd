// Small charts of the last minutes: time goes to the right, the newest point is at the edge.

import { bound, clock } from './format.js';

const SHORTEST_S = 60;

export function spanOf(times) {
  const last = times[times.length - 1];
  return { last, first: Math.min(times[0], last - SHORTEST_S) };
}

export function minutes(times) {
  const { first, last } = spanOf(times);
  return Math.max(1, Math.round((last - first) / 60));
}

// Paths of a line and of the area below it in a box of 100 by 100; what is not known is a gap.
function paths(times, values, top) {
  const { first, last } = spanOf(times);
  let line = '';
  let area = '';
  let run = [];
  const flush = () => {
    if (run.length === 1) run.push([run[0][0] + 0.4, run[0][1]]);
    if (run.length > 0) {
      const points = run.map((point) => point.map((v) => v.toFixed(1)).join(' ')).join('L');
      line += 'M' + points;
      area += `M${run[0][0].toFixed(1)} 100L${points}L${run[run.length - 1][0].toFixed(1)} 100Z`;
    }
    run = [];
  };
  values.forEach((value, i) => {
    if (value == null) return flush();
    run.push([(times[i] - first) / (last - first) * 100, 99 - 97 * Math.min(1, value / top)]);
  });
  flush();
  return { line, area };
}

const largest = (values) => values.reduce((most, value) => Math.max(most, value ?? 0), 0);

// The largest one in words, where any is known.
const atMost = (values, text) => (values.some((value) => value !== null) ? `, at most ${text(largest(values))}` : '');

// The next 1, 2 or 5 times a power of ten.
function rounded(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value * 0.999);
}

const SVG = 'http://www.w3.org/2000/svg';

// The chart of a row. Each has a scale of its own, but what is less than `floor` looks flat.
export class Spark {
  constructor() {
    this.svg = document.createElementNS(SVG, 'svg');
    this.svg.setAttribute('viewBox', '0 0 100 100');
    this.svg.setAttribute('preserveAspectRatio', 'none');
    this.svg.setAttribute('role', 'img');
    this.svg.classList.add('spark');
    this.area = this.svg.appendChild(document.createElementNS(SVG, 'path'));
    this.area.classList.add('area');
    this.line = this.svg.appendChild(document.createElementNS(SVG, 'path'));
    this.line.classList.add('line');
  }

  draw(times, values, { what, kind, floor, text }) {
    const { line, area } = paths(times, values, Math.max(largest(values), floor));
    this.line.setAttribute('d', line);
    this.area.setAttribute('d', area);
    this.svg.dataset.kind = kind;
    this.svg.setAttribute('aria-label', `${what} of the last ${minutes(times)} minutes${atMost(values, text)}`);
  }
}

// A chart with its present value and an axis; shows the value under the pointer.
export class Chart {
  constructor(kind, title, floor, text) {
    this.text = text;
    this.floor = floor;
    this.title = title;
    this.root = document.getElementById('chart').content.firstElementChild.cloneNode(true);
    this.root.id = `chart-${kind}`;
    this.root.dataset.kind = kind;
    const part = (selector) => this.root.querySelector(selector);
    part('h2').textContent = title;
    [this.now, this.note, this.svg] = ['output', '.muted', 'svg'].map(part);
    [this.area, this.line, this.mark] = ['.area', '.line', '.mark'].map(part);
    [this.high, this.ago, this.reading] = ['.high', '.ago', '.reading'].map(part);
    const plot = part('.plot');
    plot.addEventListener('pointermove', (event) => {
      const box = plot.getBoundingClientRect();
      this.at((event.clientX - box.left) / box.width);
    });
    plot.addEventListener('pointerleave', () => this.at(null));
  }

  // `whole`: the top of the axis, where it is known.
  draw(times, values, now, note, whole) {
    this.now.textContent = now;
    this.note.textContent = note;
    this.times = times;
    this.values = values;
    const top = whole ?? rounded(Math.max(largest(values), this.floor));
    const { line, area } = paths(times, values, top);
    this.line.setAttribute('d', line);
    this.area.setAttribute('d', area);
    this.high.textContent = times.length > 0 ? this.text(top).replace(/\.0+(?!\d)/, '') : '';
    this.ago.textContent = times.length > 0 ? `${minutes(times)} min` : '';
    this.svg.setAttribute('aria-label', times.length === 0 ? `${this.title}: nothing yet`
      : `${this.title} of the last ${minutes(times)} minutes, now ${now}${atMost(values, this.text)}`);
    this.at(null);
  }

  at(share) {
    this.mark.setAttribute('d', '');
    this.reading.textContent = '';
    if (share === null || !this.times?.length) return;
    const { first, last } = spanOf(this.times);
    const time = first + share * (last - first);
    let nearest = 0;
    this.times.forEach((t, i) => {
      if (Math.abs(t - time) < Math.abs(this.times[nearest] - time)) nearest = i;
    });
    const x = (this.times[nearest] - first) / (last - first) * 100;
    this.mark.setAttribute('d', `M${x} 0V100`);
    this.reading.textContent = `${clock(this.times[nearest])}  ${this.text(this.values[nearest])}`;
  }
}

// The bound below which this share of a column lies, or null.
function quantile(bounds, column, share) {
  let left = column.reduce((sum, n) => sum + n, 0) * share;
  if (left === 0) return null;
  for (let i = 0; i < column.length; i++) {
    left -= column[i];
    if (left <= 0) return i;
  }
  return column.length - 1;
}

export function latencyText({ bounds_seconds: bounds, columns }) {
  const column = columns[columns.length - 1];
  const name = (i) => (i < bounds.length ? 'within ' + bound(bounds[i]) : 'above ' + bound(bounds[bounds.length - 1]));
  const half = column && quantile(bounds, column, 0.5);
  if (half == null) return 'No timeslices in the newest point.';
  return `Now half of the timeslices began ${name(half)}, 99${'\u202f'}% ${name(quantile(bounds, column, 0.99))}.`;
}

const LABELS = 44;
const AXIS = 18;
const LEAST_ROWS = 17;

// Time to the right, waits upwards, a stronger colour for more timeslices.
export function drawHeat(canvas, times, { bounds_seconds: bounds, columns }) {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const scale = window.devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  context.scale(scale, scale);
  const style = getComputedStyle(canvas);
  context.font = `${style.fontSize} ${style.fontFamily}`;
  const used = columns.reduce((most, column) => Math.max(most, column.findLastIndex((n) => n > 0) + 1), 0);
  const rows = Math.max(used, LEAST_ROWS);
  const most = largest(columns.map(largest));
  const plot = { width: width - LABELS, height: height - AXIS };
  const cell = plot.height / rows;
  context.fillStyle = style.getPropertyValue('--heat');
  // A column is as wide as its step was long.
  const step = times.length > 1 ? times[1] - times[0] : 5;
  const { first, last } = spanOf([times[0] - step, ...times]);
  const xOf = (time) => LABELS + (time - first) / (last - first) * plot.width;
  columns.forEach((column, i) => {
    const left = xOf(times[i - 1] ?? times[0] - step);
    column.forEach((n, row) => {
      if (n <= 0) return;
      context.globalAlpha = 0.1 + 0.9 * Math.log1p(n) / Math.log1p(most);
      context.fillRect(left, plot.height - (row + 1) * cell, xOf(times[i]) - left - 0.5, cell - 0.5);
    });
  });
  context.globalAlpha = 1;
  context.fillStyle = style.color;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (let row = 0; row < Math.min(rows, bounds.length); row += 4) {
    context.fillText(bound(bounds[row]), LABELS - 6, Math.max(8, plot.height - (row + 1) * cell));
  }
  context.textBaseline = 'bottom';
  context.fillText('now', width, height);
  context.textAlign = 'left';
  context.fillText(`−${minutes(times)} min`, LABELS, height);
}
