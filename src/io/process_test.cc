#include "io/process.h"

#include <cstddef>
#include <cstdio>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tandem {
namespace {

// A datagram socket at `address`, "@..." for one without a file.
int hear(const std::string& address) {
  sockaddr_un own{};
  own.sun_family = AF_UNIX;
  address.copy(own.sun_path, sizeof own.sun_path);
  if (address[0] == '@') own.sun_path[0] = '\0';
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  const int heard = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  EXPECT_EQ(::bind(heard, reinterpret_cast<const sockaddr*>(&own), bytes), 0);
  return heard;
}

TEST(NotifySocket, ReachesAPathAndAnAbstractName) {
  const std::string own = testing::TempDir() + "notify-" + std::to_string(::getpid());
  for (const std::string& address : {own, "@" + own}) {
    const int heard = hear(address);
    ASSERT_TRUE(send_notice(address, "READY=1\n"));
    char text[32] = {};
    EXPECT_EQ(::recv(heard, text, sizeof text, MSG_DONTWAIT), 8);
    EXPECT_STREQ(text, "READY=1\n");
    ::close(heard);
    EXPECT_FALSE(send_notice(address, "READY=1\n")) << "nobody hears it any more";
  }
  std::remove(own.c_str());
}

TEST(NotifySocket, AnAddressThatCannotBeOneIsAnError) {
  for (const std::string& address : {std::string(), std::string("@"), std::string(200, 'a')}) {
    EXPECT_FALSE(send_notice(address, "a"));
  }
}

}  // namespace
}  // namespace tandem
