# What every build has, and what release builds add.
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()

string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
if(build_type STREQUAL "RELEASE")
    add_compile_options(-fstack-protector-strong -fstack-clash-protection
        $<$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>:-fcf-protection>
        $<$<NOT:$<BOOL:${SHEAF_SANITIZE}>>:-U_FORTIFY_SOURCE>
        $<$<NOT:$<BOOL:${SHEAF_SANITIZE}>>:-D_FORTIFY_SOURCE=2>)
    set(CMAKE_C_FLAGS_RELEASE "-O2")
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie> -Wl,-z,relro,-z,now)
    set(SHEAF_FAILPOINTS_DEFAULT OFF)
else()
    set(SHEAF_FAILPOINTS_DEFAULT ON)
endif()

# Failpoints let tests kill, stop or fail a process at a named place; never in release builds.
option(SHEAF_FAILPOINTS "Compile failpoints in" ${SHEAF_FAILPOINTS_DEFAULT})
if(SHEAF_FAILPOINTS)
    add_compile_definitions(SHEAF_FAILPOINTS)
endif()
