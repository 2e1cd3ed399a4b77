# Precompiled headers, which halve the time of a build: tandem_precompiled.pch for the parts, tandem_precompiled_test.pch for
# their tests. Made here rather than by target_precompile_headers, whose command lines name this folder: so that ccache finds
# in one checkout what another one compiled. It compares the file *.pch.sum instead of the header, which names its folder, too.
set(precompiled_dir ${CMAKE_BINARY_DIR}/precompiled)
file(MAKE_DIRECTORY ${precompiled_dir})

function(tandem_precompiled NAME HEADER)
  file(SHA256 ${CMAKE_SOURCE_DIR}/cmake/precompiled.h sum)
  file(SHA256 ${CMAKE_SOURCE_DIR}/${HEADER} own_sum)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  file(WRITE ${precompiled_dir}/${NAME}.pch.sum
       "${sum} ${own_sum} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS_${type}} ${TANDEM_SANITIZE}")
  # An object library, so that the flags are everybody's; its one object is the precompiled header.
  set(source ${precompiled_dir}/${NAME}.cc)
  file(WRITE ${source} "#include \"${CMAKE_SOURCE_DIR}/${HEADER}\"\n")
  add_library(${NAME} OBJECT ${source})
  set_target_properties(${NAME} PROPERTIES CXX_COMPILER_LAUNCHER "")
  target_compile_options(${NAME} PRIVATE "SHELL:-x c++-header -Xclang -fno-pch-timestamp")
  target_link_libraries(${NAME} PRIVATE fmt::fmt spdlog::spdlog xxhash absl GTest::gtest jemalloc Threads::Threads)
  set(made ${precompiled_dir}/${NAME}.pch)
  add_custom_command(OUTPUT ${made} DEPENDS ${NAME} $<TARGET_OBJECTS:${NAME}>
                     COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_OBJECTS:${NAME}> ${made})
endfunction()

tandem_precompiled(tandem_precompiled cmake/precompiled.h)
tandem_precompiled(tandem_precompiled_test cmake/precompiled_test.h)

# Uses the precompiled header NAME in all sources of a target.
function(tandem_use_precompiled TARGET NAME)
  target_compile_options(${TARGET} PRIVATE "SHELL:-include-pch precompiled/${NAME}.pch" "SHELL:-Xclang -fno-pch-timestamp")
  get_target_property(sources ${TARGET} SOURCES)
  set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${precompiled_dir}/${NAME}.pch)
endfunction()
