/* The least program that links the library: opens a context and closes it. Prints the
 * library's version; anything unexpected is a sentence and exit code 1. */
#include <espalier/espalier.h>
#include <stdio.h>

int main(void)
{
    espl_context *context = NULL;

    if (espl_context_open(&(espl_context_settings){ .seed = 42, .threads = 1 }, &context)) {
        fprintf(stderr, "no context\n");
        return 1;
    }
    espl_context_free(context);
    printf("espalier %s\n", espl_version());
    return 0;
}
