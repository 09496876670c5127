// What the broker makes of expressions: lines on the input as Evaluate.java reads them, the same words on the output.

#include <cstdio>
#include <iostream>
#include <string>

#include "broker/filter/filter_case.hpp"

int main() {
  std::string line;
  while (std::getline(std::cin, line)) std::puts(std::string(tern::test::result_of(line)).c_str());
  return 0;
}
