#ifndef RECIPE_CLASSIC_TEXT_H
#define RECIPE_CLASSIC_TEXT_H

/**
 * classic.yaml: the recipe of the older format, in sections. A line "#@ FILE" begins what is only
 * there when the data folder has FILE.
 */
extern const char classic_text[];

#endif
