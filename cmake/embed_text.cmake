# cmake -DOUT=x.c -DIN=x.yaml -DHEADER=folder/x.h -DNAME=x_text -P embed_text.cmake
#
# Writes a C file with the text of IN as an array of bytes, NUL-terminated: string literals of more
# than 4,095 characters are not ISO C.
file(READ ${IN} text HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${text}")
file(WRITE ${OUT} "/* Made by cmake/embed_text.cmake. */
#include \"${HEADER}\"

const char ${NAME}[] = {${bytes}0};
")
