def page(d): return ''
