/*
 * banned.h - functions that this project does not use, poisoned before any
 * source is read (the compiler is told to include this file first).
 *
 * The system headers that declare them come before the poison.
 */
#ifndef FAMILYBOT_UTILS_BANNED_H
#define FAMILYBOT_UTILS_BANNED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll
#pragma GCC poison gmtime localtime ctime asctime gets

#endif
