// Figures as people read them, and names as text. null is what is not known.

const NONE = '–';
const GAP = '\u202f';

// 0.31 CPUs are "31.0 %", as in top(1).
export function percent(cpus) {
  if (cpus == null) return NONE;
  const value = cpus * 100;
  return (value < 999.95 ? value.toFixed(1) : Math.round(value).toLocaleString('en')) + GAP + '%';
}

function digits(value) {
  return value >= 99.5 ? String(Math.round(value)) : value >= 9.95 ? value.toFixed(1) : value.toFixed(2);
}

// A length of time with three digits.
export function duration(seconds) {
  if (seconds == null) return NONE;
  if (seconds < 5e-10) return '0';
  const whole = Math.round(seconds);
  if (whole >= 86400) return `${Math.floor(whole / 86400)} d ${Math.floor(whole / 3600) % 24} h`;
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
  if (whole >= 100) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  for (const [unit, size] of [['s', 1], ['ms', 1e-3], ['µs', 1e-6]]) {
    if (seconds >= 0.9995 * size) return digits(seconds / size) + GAP + unit;
  }
  return Math.round(seconds * 1e9) + GAP + 'ns';
}

// The bound of a bucket, shorter.
export function bound(seconds) {
  const [unit, size] = seconds >= 0.9 ? ['s', 1] : seconds >= 0.9e-3 ? ['ms', 1e-3] : ['µs', 1e-6];
  return Math.round(seconds / size) + GAP + unit;
}

// Seconds waited in each second.
export function waiting(rate) {
  if (rate == null) return NONE;
  if (rate >= 99.5) return Math.round(rate).toLocaleString('en') + GAP + 's/s';
  return rate < 5e-10 ? '0' : duration(rate) + '/s';
}

export function perSecond(rate) {
  if (rate == null) return NONE;
  if (rate === 0) return '0';
  if (rate < 0.01) return '<0.01/s';
  return (rate < 10 ? rate.toFixed(rate < 1 ? 2 : 1) : Math.round(rate).toLocaleString('en')) + '/s';
}

export function count(value) {
  return value == null ? NONE : Math.round(value).toLocaleString('en');
}

export function clock(unixSeconds) {
  const two = (n) => String(n).padStart(2, '0');
  const date = new Date(unixSeconds * 1000);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
}

// Anybody may choose a name. What would not be seen in it, or would turn the order of letters
// around, is shown as its code.
export function visible(name) {
  return name.replace(/[\p{Cf}\p{Zl}\p{Zp}\u034f\u115f\u1160\u3164\uffa0]/gu,
    (letter) => `\\u{${letter.codePointAt(0).toString(16)}}`);
}
