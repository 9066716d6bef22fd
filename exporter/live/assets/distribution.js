// How long the timeslices of a cgroup were, and the waits before them: a bar for each bucket, of the
// newest point. Buckets are powers of two; one more is for what is longer than all bounds.

import { bound, count } from './format.js';

const NONE = '–';
const AXIS = [0, 10, 20];  // 1 µs, 1 ms, 1 s
const LEAST = 1.5;  // percent of the height: what is rare is seen

// A quantile of the exporter, which is the upper bound of its bucket.
export function quantileText(durations, key, longest) {
  if (durations == null) return NONE;
  return durations[key] == null ? `>${bound(longest)}` : bound(durations[key]);
}

const within = (durations, key, bounds) => (durations[key] == null
  ? `above ${bound(bounds[bounds.length - 1])}` : `within ${bound(durations[key])}`);

function rangeOf(bounds, i) {
  if (i === bounds.length) return `above ${bound(bounds[i - 1])}`;
  return i === 0 ? `up to ${bound(bounds[0])}` : `${bound(bounds[i - 1])} to ${bound(bounds[i])}`;
}

export class Bars {
  // `kind`: which colour it has; `what`: "Wait before timeslices", say.
  constructor(kind, title, what) {
    this.what = what;
    this.root = document.getElementById('bars').content.firstElementChild.cloneNode(true);
    this.root.id = `bars-${kind}`;
    this.root.dataset.kind = kind;
    const part = (selector) => this.root.querySelector(selector);
    part('h2').textContent = title;
    [this.now, this.note, this.svg, this.path, this.mark] = ['output', '.muted', 'svg', '.bar-path', '.mark'].map(part);
    [this.axis, this.reading, this.caption, this.rows] = ['.axis', '.reading', 'caption', 'tbody'].map(part);
    const plot = part('.plot');
    plot.addEventListener('pointermove', (event) => {
      const box = plot.getBoundingClientRect();
      this.at(Math.floor((event.clientX - box.left) / box.width * this.counts.length));
    });
    plot.addEventListener('pointerleave', () => this.at(null));
    this.counts = [];
  }

  // `durations`: null where no timeslice ended.
  draw(durations, bounds) {
    this.bounds = bounds;
    this.counts = durations?.buckets ?? [...bounds, 0].map(() => 0);
    const all = this.counts.reduce((sum, n) => sum + n, 0);
    const text = all === 0 ? 'No timeslice ended in the newest point.'
      : `Half ${within(durations, 'p50', bounds)}, 99${'\u202f'}% ${within(durations, 'p99', bounds)}.`;
    this.now.textContent = quantileText(durations, 'p99', bounds[bounds.length - 1]);
    this.note.textContent = all === 0 ? '' : `99 % of ${count(all)}; half ${within(durations, 'p50', bounds)}`;
    this.svg.setAttribute('aria-label', `${this.what}, in the newest point: ${all === 0 ? '' : `${count(all)} timeslices. `}${text}`);
    this.drawBars();
    this.axis.replaceChildren(...AXIS.map((i) => {
      const label = Object.assign(document.createElement('span'), { textContent: bound(bounds[i]) });
      label.style.left = `${(i + 1) / this.counts.length * 100}%`;
      return label;
    }));
    this.fillTable(text);
    this.at(null);
  }

  drawBars() {
    const most = Math.max(1, ...this.counts);
    const width = 100 / this.counts.length;
    this.path.setAttribute('d', this.counts.map((n, i) => {
      if (n === 0) return '';
      const height = Math.max(LEAST, n / most * 100);
      return `M${(i * width + 0.3).toFixed(2)} 100V${(100 - height).toFixed(2)}h${(width - 0.6).toFixed(2)}V100Z`;
    }).join(''));
  }

  // For those who don't see the bars.
  fillTable(text) {
    this.caption.textContent = `${this.what}: ${text}`;
    this.rows.replaceChildren(...this.counts.flatMap((n, i) => {
      if (n === 0) return [];
      const line = document.createElement('tr');
      const head = Object.assign(document.createElement('th'), { textContent: rangeOf(this.bounds, i), scope: 'row' });
      line.append(head, Object.assign(document.createElement('td'), { textContent: count(n) }));
      return [line];
    }));
  }

  at(i) {
    const isThere = i !== null && i >= 0 && i < this.counts.length;
    const middle = isThere ? (i + 0.5) / this.counts.length * 100 : 0;
    this.mark.setAttribute('d', isThere ? `M${middle} 0V100` : '');
    this.reading.textContent = isThere ? `${rangeOf(this.bounds, i)}: ${count(this.counts[i])}` : '';
  }
}
