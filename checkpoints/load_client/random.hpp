#pragma once
// Numbers that look random and depend on nothing but a seed, so that a run can be had again.

#include <cstdint>

namespace load_client {

// Splitmix64: one add and a few mixing steps. Neighbouring seeds give unrelated numbers.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) {
  value += 0x9e37'79b9'7f4a'7c15;
  value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11eb;
  return value ^ (value >> 31);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed)) {}

  [[nodiscard]] std::uint64_t next() { return mix(state_++); }

 private:
  std::uint64_t state_;
};

}  // namespace load_client
