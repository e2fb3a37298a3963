# The warnings every target of this project is built with.
option(SHEAF_WERROR "Treat warnings as errors" OFF)
add_library(project_warnings INTERFACE)
target_compile_options(project_warnings INTERFACE
    -Wall -Wextra -Wpedantic
    -Wconversion -Wsign-conversion -Wdouble-promotion
    -Wshadow -Wundef -Wvla -Wcast-qual -Wcast-align -Wwrite-strings -Wpointer-arith
    -Wformat=2 -Wnull-dereference -Wimplicit-fallthrough
    -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations -Wold-style-definition
    -Wredundant-decls -Wswitch-enum -Wunused
    $<$<C_COMPILER_ID:GNU>:-Wduplicated-cond;-Wduplicated-branches;-Wlogical-op;-Wjump-misses-init>
    $<$<C_COMPILER_ID:Clang>:-Wcomma;-Wconditional-uninitialized;-Wmissing-variable-declarations>
    -fno-common)
# O_TMPFILE, getrandom and sync_file_range are Linux calls that glibc shows under _GNU_SOURCE.
# Functions of base/banned.h become undeclared names everywhere.
target_compile_definitions(project_warnings INTERFACE _GNU_SOURCE)
target_compile_options(project_warnings INTERFACE -include ${PROJECT_SOURCE_DIR}/common/base/banned.h)
target_include_directories(project_warnings INTERFACE ${PROJECT_SOURCE_DIR})
set(CMAKE_COMPILE_WARNING_AS_ERROR ${SHEAF_WERROR})
