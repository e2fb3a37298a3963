# Third-party libraries, one name each. The same names on Debian 12 and 13.
find_package(PkgConfig REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
pkg_check_modules(LIBEVENT REQUIRED IMPORTED_TARGET libevent_core>=2.1.12 libevent_extra>=2.1.12)
pkg_check_modules(JSONC REQUIRED IMPORTED_TARGET json-c>=0.16)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.5)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash>=0.8)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.75)
pkg_search_module(MSGPACK REQUIRED IMPORTED_TARGET msgpack-c msgpack)
# hiredis.pc says -I/usr/include/hiredis, whose alloc.h and read.h would shadow ours: link by name only.
find_library(HIREDIS_LIBRARY hiredis REQUIRED)
# libevent_openssl.pc adds -levent, a second copy of libevent_core beside the one named above.
find_library(LIBEVENT_OPENSSL_LIBRARY event_openssl REQUIRED)
