# Read by ctest after the list of the e2e tests: of each fixture's tests one runs at a time. They give their tasks the
# same names, and count what all tasks of a name did.
foreach(test IN LISTS e2e_tests_TESTS)
  string(REGEX REPLACE "^e2e\\.(.*/)?([A-Za-z0-9]+)\\.[A-Za-z0-9]+.*$" "\\2" fixture "${test}")
  string(REGEX REPLACE "InV2$" "" fixture "${fixture}") # is derived from that one
  set_tests_properties("${test}" PROPERTIES RESOURCE_LOCK ${fixture})
endforeach()
