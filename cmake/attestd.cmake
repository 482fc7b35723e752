# SPDX-License-Identifier: Apache-2.0
# Compiler settings and the three ways a target is made here: a room's library, a plugin, a test.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto>=3.0)
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl>=3.0)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
if(BUILD_TESTING)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()
find_library(LMDB_LIBRARY lmdb REQUIRED)
find_path(LMDB_INCLUDE lmdb.h REQUIRED)

add_library(attestd-settings INTERFACE)
target_include_directories(attestd-settings INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/plugins/include)
target_compile_definitions(attestd-settings INTERFACE _GNU_SOURCE)
target_compile_options(attestd-settings INTERFACE
  -Wall -Wextra -Werror -Wconversion -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef -Wformat=2
  -fstack-protector-strong -fno-common
  $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>) # snprintf cuts texts for people on purpose
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT ATTESTD_SANITIZE)
  target_compile_options(attestd-settings INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
target_link_options(attestd-settings INTERFACE -Wl,-z,relro,-z,now)
if(ATTESTD_SANITIZE)
  target_compile_definitions(attestd-settings INTERFACE ATTESTD_SANITIZED)
  target_compile_options(attestd-settings INTERFACE -fsanitize=${ATTESTD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(attestd-settings INTERFACE -fsanitize=${ATTESTD_SANITIZE})
endif()
if(ATTESTD_FUZZ) # what the fuzzers reach tells them which inputs lead further
  target_compile_options(attestd-settings INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(attestd-settings INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_link_libraries(attestd-settings INTERFACE Threads::Threads)

# The folder's own plugin, as <name>.so in build/<preset>/plugins, exporting attestd_plugin alone.
function(attestd_plugin name)
  add_library(plugin-${name} MODULE ${ARGN})
  target_link_libraries(plugin-${name} PRIVATE attestd-settings attestd-core)
  set_target_properties(plugin-${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins INSTALL_RPATH "\$ORIGIN/../..")
  target_link_options(plugin-${name} PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/plugins/plugin.map -Wl,--no-undefined-version)
  if(NOT ATTESTD_SANITIZE)
    target_link_options(plugin-${name} PRIVATE -Wl,--no-undefined)
  endif()
  install(TARGETS plugin-${name} DESTINATION ${CMAKE_INSTALL_LIBDIR}/attestd/plugins)
endfunction()

# A cmocka program tests/<room>/<name>.c, run by ctest as <room>.<name>.
function(attestd_test room source)
  get_filename_component(name ${source} NAME_WE)
  set(target test-${room}-${name})
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE attestd-settings PkgConfig::CMOCKA ${ARGN})
  add_test(NAME ${room}.${name} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${room}.${name} PROPERTIES TIMEOUT 300 ENVIRONMENT
    "ATTESTD_BUILD=${CMAKE_BINARY_DIR};ATTESTD_SOURCE=${CMAKE_SOURCE_DIR};ATTESTD_VECTORS=${CMAKE_SOURCE_DIR}/../shared/vectors;LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/lsan.supp")
endfunction()
