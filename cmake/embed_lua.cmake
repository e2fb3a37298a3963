# cmake -DOUT=x.c -DFOLDER=lua -DSCRIPTS=a,b -P embed_lua.cmake
#
# Writes a C file with the text of each script, _lib.lua in front of it, as an
# array of bytes: string literals of more than 4,095 characters are not ISO C.
string(REPLACE "," ";" scripts "${SCRIPTS}")
file(READ ${FOLDER}/_lib.lua lib HEX)
foreach(name IN LISTS scripts)
    file(READ ${FOLDER}/${name}.lua own HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${lib}${own}")
    if(bytes MATCHES "0x[89a-f]")
        message(FATAL_ERROR "${name}.lua is not ASCII")
    endif()
    string(APPEND arrays "static const char text_${name}[] = {${bytes}0};\n")
    string(APPEND table "    {\"${name}\", text_${name}},\n")
endforeach()
file(WRITE ${OUT} "/* Made by cmake/embed_lua.cmake. */
#include \"common/protocol/protocol_scripts.h\"

${arrays}
const struct protocol_source protocol_sources[PROTOCOL_SCRIPTS] = {
${table}};
")
