#include <cstdio>

#include "exporter/app/version.h"

int main() { std::puts(sched_exporter::kVersion); }
