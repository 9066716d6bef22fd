// The list of execs, exits, failures and OOM kills, the newest first.

import { clock, count, duration, visible } from './format.js';

const SHOWN = 60;

// What happened, in words, and whether somebody should look at it.
function outcome(event) {
  switch (event.event) {
    case 'exec':
      return ['exec', 'start'];
    case 'exec_failed':
      return [`exec failed: ${event.errno ?? 'unknown'}`, 'bad'];
    case 'oom_kill':
      return ['OOM kill', 'bad'];
    case 'lost':
      return [`${count(event.lost)} lost`, 'bad'];
    default:
      if (event.signal) return [`killed: ${event.signal}`, 'bad'];
      return [`exit ${event.exit_code ?? ''}`, event.exit_code ? 'bad' : 'end'];
  }
}

function details(event) {
  const parts = [];
  if (event.event === 'lost') return 'missing here; the counters have them';
  parts.push(`PID ${event.pid}`);
  if (event.event === 'exit') parts.push(`lived ${duration(event.lifetime_seconds)}, CPU ${duration(event.run_seconds)}`);
  if (event.exe && event.event !== 'exit') parts.push(visible(event.exe));
  return parts.join(' · ');
}

function part(name, className, text) {
  const node = document.createElement(name);
  node.className = className;
  node.textContent = text;
  return node;
}

function line(event) {
  const item = document.createElement('li');
  const [text, kind] = outcome(event);
  item.dataset.kind = kind;
  const time = part('time', 'muted', clock(Date.parse(event.time) / 1000));
  time.dateTime = event.time;
  item.append(time, part('span', 'badge', (kind === 'bad' ? '✕ ' : '') + text),
    part('bdi', 'who', visible(event.comm ?? '')), part('span', 'muted detail', details(event)));
  item.title = [event.group && `group ${event.group}`, event.cgroup && `cgroup ${event.cgroup}`].filter(Boolean).map(visible).join('\n');
  return item;
}

// `isWanted`: which events belong to what is opened.
export function drawEvents({ events, lost }, isWanted, failuresOnly) {
  const wanted = events.filter(isWanted).filter((event) => !failuresOnly || outcome(event)[1] === 'bad');
  wanted.sort((a, b) => (a.time < b.time ? 1 : -1));
  document.getElementById('event-list').replaceChildren(...wanted.slice(0, SHOWN).map(line));
  const notes = [];
  if (wanted.length === 0) notes.push(failuresOnly ? 'No failures lately.' : 'Nothing lately.');
  if (lost > 0) notes.push(`${count(lost)} events had no room; the counters have them.`);
  document.getElementById('event-note').textContent = notes.join(' ');
}
