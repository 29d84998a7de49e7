#pragma once
// Patterns and subjects are bytes of UTF-8 (pcre2api(3)).
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
