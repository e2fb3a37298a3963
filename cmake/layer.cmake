# add_layer(<name> SOURCES ... HEADERS ... DEPENDS ... SYSTEM ...)
#
# One static library = one layer. DEPENDS are the layers whose headers it may
# include; SYSTEM are third-party libraries, kept PRIVATE. A companion module
# "<name>.linkcheck" links the whole archive against its declared dependencies
# only, so a symbol taken from an undeclared layer is a link error.
function(add_layer name)
    cmake_parse_arguments(L "" "" "SOURCES;HEADERS;DEPENDS;SYSTEM" ${ARGN})
    add_library(${name} STATIC ${L_SOURCES})
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    list(TRANSFORM L_HEADERS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
    target_sources(${name} PUBLIC FILE_SET HEADERS
        BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${L_HEADERS})
    target_link_libraries(${name} PUBLIC ${L_DEPENDS} PRIVATE project_warnings ${L_SYSTEM})
    if(SHEAF_SANITIZE OR SHEAF_COVERAGE)
        return() # their runtimes are resolved at load time only
    endif()
    add_library(${name}.linkcheck MODULE EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/cmake/empty.c)
    target_link_libraries(${name}.linkcheck PRIVATE
        "$<LINK_LIBRARY:WHOLE_ARCHIVE,${name}>" ${L_SYSTEM})
    target_link_options(${name}.linkcheck PRIVATE -Wl,--no-undefined)
    set_property(GLOBAL APPEND PROPERTY LAYER_LINKCHECKS ${name}.linkcheck)
endfunction()

# add_program(<name> SOURCES ... DEPENDS ... SYSTEM ...): an installed executable.
# All programs are built into one folder, so that they find each other in the
# build tree as they do when installed.
function(add_program name)
    cmake_parse_arguments(P "" "" "SOURCES;DEPENDS;SYSTEM" ${ARGN})
    add_executable(${name} ${P_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
    target_compile_definitions(${name} PRIVATE SHEAF_VERSION="${PROJECT_VERSION}")
    target_link_libraries(${name} PRIVATE project_warnings ${P_DEPENDS} ${P_SYSTEM})
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
