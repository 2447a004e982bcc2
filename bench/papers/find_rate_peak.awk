# Lines "rate accuracy seconds" of several seeds, rates in order, and "found accuracy seconds" of the suggestion, to a
# table and the peak of a smooth curve.

$1 == "found" {
    found_runs++
    found_sum += 100 * $2
    next
}
{
    if (!($1 in place)) {
        place[$1] = ++count
        rate[count] = $1
        x[count] = log($1)
    }
    p = place[$1]
    runs[p]++
    sum[p] += 100 * $2
    squares[p] += (100 * $2) ^ 2
    if ($3 > 0) {
        seconds += $3
        timed++
    }
}

# c0 + c1 d + c2 d^2 with d = x - x[at], by the normal equations
function fit(from, to, at, i, d, k, r, s, f) {
    for (k = 0; k <= 4; k++)
        m[k] = 0
    for (k = 0; k <= 2; k++)
        b[k] = 0
    for (i = from; i <= to; i++) {
        d = x[i] - x[at]
        for (k = 0; k <= 4; k++)
            m[k] += d ^ k
        for (k = 0; k <= 2; k++)
            b[k] += d ^ k * y[i]
    }
    for (r = 0; r < 3; r++) {
        for (s = 0; s < 3; s++)
            a[r, s] = m[r + s]
        a[r, 3] = b[r]
    }
    for (r = 0; r < 3; r++)
        for (s = 0; s < 3; s++)
            if (s != r) {
                f = a[s, r] / a[r, r]
                for (k = r; k <= 3; k++)
                    a[s, k] -= f * a[r, k]
            }
    for (r = 0; r < 3; r++)
        c[r] = a[r, 3] / a[r, r]
}

function curve(d) {
    return c[0] + c[1] * d + c[2] * d * d
}

END {
    for (i = 1; i <= count; i++) {
        y[i] = sum[i] / runs[i]
        if (y[i] > y[best])
            best = i
        spread = runs[i] > 1 ? sqrt((squares[i] - runs[i] * y[i] ^ 2) / (runs[i] - 1)) : 0
        printf "%s rate %s accuracy %.2f deviation %.2f\n", name, rate[i], y[i], spread
    }
    from = to = best
    while (from > 1 && from > best - 2 && y[from - 1] > y[best] - 5)
        from--
    while (to < count && to < best + 2 && y[to + 1] > y[best] - 5)
        to++
    peak = y[best]
    if (to - from >= 2) {
        fit(from, to, best)
        low_end = x[from] - x[best]
        high_end = x[to] - x[best]
        top = c[2] < 0 ? -c[1] / (2 * c[2]) : 0
        top = top < low_end ? low_end : top > high_end ? high_end : top
        peak = curve(top)
    }
    at = found_sum / found_runs
    printf "%s found %s (between %.2g and %.2g): accuracy %.2f, peak %.2f at %.2g, lost %.2f points; took %.1f s, %.1f %% of 30 epochs\n",
        name, found, low, high, at, peak, exp(x[best] + top), peak - at, cost,
        100 * cost / (seconds / timed / epochs * 30)
}
