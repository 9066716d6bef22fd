"""Reads a text of metrics with prometheus_client's parsers and prints its series, sorted, one JSON
array [name, labels, value] a line.

    series_of_text.py classic|openmetrics [FILE]

Fails with the parser's word where the text breaks the format. Its parser of OpenMetrics is strict
about families, suffixes, groups and units; what it takes nevertheless is refused here."""

import json
import re
import sys

from prometheus_client import parser as classic
from prometheus_client.openmetrics import parser as openmetrics

LINE = re.compile(
    r'(# (TYPE|UNIT|HELP) [a-zA-Z_:][a-zA-Z0-9_:]* ([^"\\]|\\["\\n])+'
    r'|[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*",?)+\})?'
    r' ([0-9]+(\.[0-9]+)?(e[+-][0-9]+)?|[+-]Inf|NaN))')
ORDER = ['TYPE', 'UNIT', 'HELP']


def check_lines(text):
    if not text.endswith('\n# EOF\n') and text != '# EOF\n':
        raise ValueError('the end is not # EOF')
    if '\r' in text:
        raise ValueError('a carriage return')
    described = ['']
    for line in text.split('\n')[:-2]:
        if not LINE.fullmatch(line) or ',}' in line:
            raise ValueError('no line of the format: ' + line)
        if line.startswith('# '):
            word, name = line.split(' ')[1:3]
            described = described if described[0] == name else [name]
            if described[1:] and ORDER.index(word) <= ORDER.index(described[-1]):
                raise ValueError('not in the order TYPE, UNIT, HELP: ' + line)
            described.append(word)


def check_family(family):
    if family.type == 'unknown':
        raise ValueError('a family without a type: ' + family.name)
    if not family.documentation:
        raise ValueError('a family without help: ' + family.name)
    unit = family.name.rsplit('_', 1)[-1]
    if unit in ('seconds', 'bytes') and family.unit != unit:
        raise ValueError('a family without its unit: ' + family.name)


def main():
    with open(sys.argv[2] if len(sys.argv) > 2 else 0, encoding='utf-8', newline='') as file:
        text = file.read()
    strict = sys.argv[1] == 'openmetrics'
    families = list((openmetrics if strict else classic).text_string_to_metric_families(text))
    if strict:
        check_lines(text)
        for family in families:
            check_family(family)
    lines = [
        json.dumps([sample.name, sample.labels, repr(float(sample.value))], sort_keys=True)
        for family in families for sample in family.samples
    ]
    print('\n'.join(sorted(lines)))


try:
    main()
except ValueError as error:
    sys.exit(f'{sys.argv[1]}: {error}')
