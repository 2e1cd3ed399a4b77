# The libraries, all Debian packages (the list is packages.txt).
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(GTest REQUIRED)
find_package(CLI11 REQUIRED)
find_package(benchmark REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libuv REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(lua51 REQUIRED IMPORTED_TARGET lua5.1)
pkg_check_modules(lua51_bitop REQUIRED IMPORTED_TARGET lua5.1-bitop)
pkg_check_modules(lua51_cjson REQUIRED IMPORTED_TARGET lua5.1-cjson)

add_library(libuv ALIAS PkgConfig::libuv)
add_library(xxhash ALIAS PkgConfig::xxhash)

add_library(lua51 INTERFACE)
target_link_libraries(lua51 INTERFACE PkgConfig::lua51 PkgConfig::lua51_bitop PkgConfig::lua51_cjson)

find_package(absl REQUIRED)
add_library(absl INTERFACE)
target_link_libraries(absl INTERFACE absl::flat_hash_map absl::flat_hash_set)

add_library(lzf INTERFACE)
target_link_libraries(lzf INTERFACE -llzf)

# jemalloc replaces malloc in the programs people run; the sanitizers bring their own allocator.
add_library(jemalloc INTERFACE)
if(NOT TANDEM_SANITIZE)
  target_link_libraries(jemalloc INTERFACE -ljemalloc)
  target_compile_definitions(jemalloc INTERFACE TANDEM_JEMALLOC=1)
endif()
