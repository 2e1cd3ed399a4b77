#include "config/title_template.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(TitleTemplate, VariablesAndBraces) {
  const TitleFacts facts{.title = "server",
                         .listen_address = "127.0.0.1:1",
                         .port = 1,
                         .unix_socket = "",
                         .config_file = "/a/b"};
  EXPECT_EQ(show_title("{title} {listen-addr} {server-mode}", facts), "server 127.0.0.1:1");
  EXPECT_EQ(show_title(" {{{port}}{tls-port} {config-file}|{unixsocket}|", facts), "{1}0 /a/b||");
}

TEST(TitleTemplate, OneThatShowsNothingOrIsNotClosedIsRefused) {
  for (const std::string_view wrong : {"", "  ", "{title}", "{server-mode} {unixsocket}", "{",
                                       "a{port", "{nosuch}", "{Port}", "{}"}) {
    EXPECT_FALSE(check_title_template(wrong)) << wrong;
  }
  for (const std::string_view right : {"a", "}", "{{", "{port}", "{listen-addr}{title}"}) {
    EXPECT_TRUE(check_title_template(right)) << right;
  }
}

}  // namespace
}  // namespace tandem
