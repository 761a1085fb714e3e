#include <arpa/inet.h>

#include <cstring>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/net/address.hpp"

using net::Address;

namespace {

std::string parsed(std::string_view text, std::uint16_t default_port = 7) {
  const auto address = Address::parse(text, default_port);
  return address ? address->to_string() : "nothing";
}

}  // namespace

TEST(NetAddress, WithoutAPortTakesTheDefault) {
  EXPECT_EQ(parsed("127.0.0.1"), "127.0.0.1:7");
  EXPECT_EQ(parsed("0.0.0.0"), "0.0.0.0:7");
  EXPECT_EQ(parsed("::1"), "[::1]:7");
  EXPECT_EQ(parsed("::"), "[::]:7");
  EXPECT_EQ(parsed("[::1]"), "[::1]:7");
  EXPECT_EQ(parsed("localhost"), "127.0.0.1:7");
}

TEST(NetAddress, WithAPort) {
  EXPECT_EQ(parsed("127.0.0.1:80"), "127.0.0.1:80");
  EXPECT_EQ(parsed("127.0.0.1:0"), "127.0.0.1:0");
  EXPECT_EQ(parsed("255.255.255.255:65535"), "255.255.255.255:65535");
  EXPECT_EQ(parsed("[::1]:80"), "[::1]:80");
  EXPECT_EQ(parsed("[2001:DB8:0::0:1]:443"), "[2001:db8::1]:443");
  EXPECT_EQ(parsed("localhost:80"), "127.0.0.1:80");
}

TEST(NetAddress, AColonInAnAddressWithoutBracketsIsNoPort) {
  EXPECT_EQ(parsed("fe80::1:80"), "[fe80::1:80]:7");
}

TEST(NetAddress, RefusesWhatIsNoAddress) {
  for (const std::string_view text : {"",
                                      ":",
                                      ":80",
                                      "[",
                                      "]",
                                      "[]",
                                      "[]:80",
                                      "[::1",
                                      "::1]",
                                      "[::1]80",
                                      "[::1]:",
                                      "[::1]:x",
                                      "[127.0.0.1]",
                                      "[127.0.0.1]:80",
                                      "[localhost]",
                                      "127.0.0.1:",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:-1",
                                      "127.0.0.1:+1",
                                      "127.0.0.1: 1",
                                      "127.0.0.1:1x",
                                      "127.0.0",
                                      "127.0.0.1.1",
                                      "127.0.0.256",
                                      "127.0.0.01",
                                      " 127.0.0.1",
                                      "127.0.0.1 ",
                                      "::1%lo",
                                      "1:2:3",
                                      "example.org",
                                      "example.org:80",
                                      "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001"}) {
    EXPECT_EQ(parsed(text), "nothing") << text;
  }
  EXPECT_EQ(parsed(std::string_view("::1\0", 4)), "nothing");
  EXPECT_EQ(parsed(std::string_view("127.0.0.1\0:80", 13)), "nothing");
}

TEST(NetAddress, HasTheFormThatTheKernelTakes) {
  const auto v4 = Address::parse("192.0.2.1:258");
  ASSERT_TRUE(v4);
  ASSERT_EQ(v4->size(), sizeof(sockaddr_in));
  sockaddr_in as_v4{};
  std::memcpy(&as_v4, v4->data(), sizeof as_v4);
  EXPECT_EQ(as_v4.sin_family, AF_INET);
  EXPECT_EQ(as_v4.sin_port, htons(258));
  EXPECT_EQ(as_v4.sin_addr.s_addr, htonl(0xc0000201));

  const auto v6 = Address::parse("[::1]:258");
  ASSERT_TRUE(v6);
  ASSERT_EQ(v6->size(), sizeof(sockaddr_in6));
  sockaddr_in6 as_v6{};
  std::memcpy(&as_v6, v6->data(), sizeof as_v6);
  EXPECT_EQ(as_v6.sin6_family, AF_INET6);
  EXPECT_EQ(as_v6.sin6_port, htons(258));
  EXPECT_EQ(as_v6.sin6_scope_id, 0U);
  EXPECT_TRUE(IN6_IS_ADDR_LOOPBACK(&as_v6.sin6_addr));
}

TEST(NetAddress, ComesBackFromTheKernelsForm) {
  for (const std::string_view text : {"192.0.2.1:258", "[2001:db8::1]:65535"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address) << text;
    sockaddr_storage storage{};
    std::memcpy(&storage, address->data(), address->size());
    const auto back = Address::from_sockaddr(storage, address->size());
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(back->to_string(), text);
    EXPECT_FALSE(Address::from_sockaddr(storage, address->size() - 1)) << text;
  }
}

TEST(NetAddress, OtherFamiliesAreNoAddress) {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  EXPECT_FALSE(Address::from_sockaddr(storage, sizeof storage));
  EXPECT_FALSE(Address::from_sockaddr(storage, 0));
}

TEST(NetAddress, TheDefaultIsAnyAddressOfIPv4) {
  Address address;
  EXPECT_FALSE(address.is_v6());
  EXPECT_EQ(address.to_string(), "0.0.0.0:0");
  address.set_port(8080);
  EXPECT_EQ(address.port(), 8080);
  EXPECT_EQ(address.to_string(), "0.0.0.0:8080");
}
