// Where one is on the page, in the fragment of its address: "#view=group&sort=wait&open=nginx".

const VIEWS = ['group', 'cgroup', 'process'];
const SORTS = ['cpu', 'wait', 'starts', 'switches', 'threads', 'processes', 'latency', 'name'];

export function readPlace() {
  const fields = new URLSearchParams(location.hash.slice(1));
  const known = (name, all) => (all.includes(fields.get(name)) ? fields.get(name) : all[0]);
  return {
    view: known('view', VIEWS),
    sort: known('sort', SORTS),
    open: fields.get('open'),
    filter: fields.get('filter') ?? '',
  };
}

export function hashOf({ view, sort, open, filter }) {
  const fields = new URLSearchParams({ view });
  if (sort && sort !== 'cpu') fields.set('sort', sort);
  if (open != null) fields.set('open', open);
  if (filter) fields.set('filter', filter);
  return '#' + fields;
}
