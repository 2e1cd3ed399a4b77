# Flags that hold for every target, and the sanitizer of the preset.
set(TANDEM_SANITIZE "" CACHE STRING "-fsanitize= list of this build, empty for none")
option(TANDEM_WERROR "treat warnings as errors" ON)
option(TANDEM_FUZZ "build the libFuzzer programs" OFF)

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Wthread-safety
                    -Wno-unused-parameter -fno-omit-frame-pointer)
if(TANDEM_WERROR)
  add_compile_options(-Werror)
endif()
if(TANDEM_SANITIZE)
  add_compile_options(-fsanitize=${TANDEM_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TANDEM_SANITIZE})
endif()
if(TANDEM_FUZZ)
  # Everywhere, for a precompiled header is compiled as those who use it. Programs that are no fuzzers pass over the counting.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
add_link_options(-fuse-ld=lld)

# In release builds the server is optimized as a whole when it is linked: an executed command goes through a dozen small
# files. The objects carry machine code as well, for programs that are linked in the usual way.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(tandem_whole_program -flto=thin -ffat-lto-objects)
endif()
add_compile_options(${tandem_whole_program})
function(tandem_optimize_whole NAME)
  if(tandem_whole_program)
    target_link_options(${NAME} PRIVATE ${tandem_whole_program} -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/thinlto)
  endif()
endfunction()
