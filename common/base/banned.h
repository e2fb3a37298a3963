#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/*
 * Functions that this project does not use, made into undeclared names. Each
 * has a replacement that states a bound or does not share hidden state.
 * Force-included into every file; system headers that declare them come first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strtok
#define strcpy(d, s)       banned_strcpy_use_memcpy_or_snprintf
#define strcat(d, s)       banned_strcat_use_struct_buf
#define sprintf(...)       banned_sprintf_use_snprintf
#define vsprintf(d, f, ap) banned_vsprintf_use_vsnprintf
#define strtok(s, d)       banned_strtok_use_strtok_r
#define localtime(t)       banned_localtime_use_localtime_r
#define gmtime(t)          banned_gmtime_use_gmtime_r
#define atoi(s)            banned_atoi_use_strtol
#define atol(s)            banned_atol_use_strtol
#define rand()             banned_rand_use_id_random

#endif
