/* Elements as gst-inspect-1.0 shows them. */
#include "gt.h"

static gchar *
text (const GValue * v)
{
  gchar *s = G_VALUE_HOLDS_BOXED (v) && g_value_get_boxed (v) == NULL ? NULL : gst_value_serialize (v);
  return s != NULL ? s : g_strdup ("NULL");
}

/* Reads the bounds into v, which is of the property's type; FALSE where the type has none. */
static gboolean
bounds (GParamSpec * p, GValue * lo, GValue * hi)
{
#define BOUNDS(NAME, set) \
  if (G_IS_PARAM_SPEC_##NAME (p)) { \
    set (lo, G_PARAM_SPEC_##NAME (p)->minimum); \
    set (hi, G_PARAM_SPEC_##NAME (p)->maximum); \
    return TRUE; \
  }
  BOUNDS (INT, g_value_set_int);
  BOUNDS (UINT, g_value_set_uint);
  BOUNDS (INT64, g_value_set_int64);
  BOUNDS (UINT64, g_value_set_uint64);
  BOUNDS (DOUBLE, g_value_set_double);
#undef BOUNDS
  if (GST_IS_PARAM_SPEC_FRACTION (p)) {
    GstParamSpecFraction *f = GST_PARAM_SPEC_FRACTION (p);
    gst_value_set_fraction (lo, f->min_num, f->min_den);
    gst_value_set_fraction (hi, f->max_num, f->max_den);
    return TRUE;
  }
  return FALSE;
}

static void
describe (GParamSpec * p, GtProperty * out)
{
  GValue lo = G_VALUE_INIT, hi = G_VALUE_INIT;

  out->name = g_strdup (p->name);
  out->blurb = g_strdup (g_param_spec_get_blurb (p));
  out->type = g_strdup (g_type_name (p->value_type));
  out->flags = p->flags;
  out->def = text (g_param_spec_get_default_value (p));
  g_value_init (&lo, p->value_type);
  g_value_init (&hi, p->value_type);
  if (bounds (p, &lo, &hi)) {
    out->min = text (&lo);
    out->max = text (&hi);
  }
  g_value_unset (&lo);
  g_value_unset (&hi);
}

/* Those of the element's own class, in the order in which they were installed. */
GtProperty *
gt_properties (GstElement * e, guint * n)
{
  guint i, all;
  GParamSpec **specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (e), &all);
  GtProperty *out = g_new0 (GtProperty, all);

  for (i = 0, *n = 0; i < all; i++)
    if (specs[i]->owner_type == G_OBJECT_TYPE (e))
      describe (specs[i], &out[(*n)++]);
  g_free (specs);
  return out;
}

void
gt_properties_free (GtProperty * p, guint n)
{
  guint i;

  for (i = 0; i < n; i++) {
    g_free (p[i].name);
    g_free (p[i].blurb);
    g_free (p[i].type);
    g_free (p[i].def);
    g_free (p[i].min);
    g_free (p[i].max);
  }
  g_free (p);
}
