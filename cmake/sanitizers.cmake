# -DSHEAF_SANITIZE=address,undefined   or   -DSHEAF_SANITIZE=thread
set(SHEAF_SANITIZE "" CACHE STRING "Sanitizers for every target")
if(SHEAF_SANITIZE)
    add_compile_options(-fsanitize=${SHEAF_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${SHEAF_SANITIZE})
endif()

option(SHEAF_COVERAGE "Instrument for gcovr" OFF)
if(SHEAF_COVERAGE)
    add_compile_options(--coverage -O0)
    add_link_options(--coverage)
endif()
