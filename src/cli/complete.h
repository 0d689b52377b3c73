/* complete.h: completions for shells, made from the rows of commands and options. */
#ifndef PEERWALK_CLI_COMPLETE_H
#define PEERWALK_CLI_COMPLETE_H

#include <stdio.h>

void complete_bash(FILE *out);
void complete_zsh(FILE *out);
void complete_fish(FILE *out);

#endif
