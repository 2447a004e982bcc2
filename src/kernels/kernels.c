/* The list of kernels and the choice of an instruction set. */
#include "kernels/kernel.h"

#define ESPL_KERNEL(symbol) extern const espl__kernel espl__kernel_##symbol;
#ifdef ESPL__HAVE_X86_VARIANTS
#define ESPL_KERNEL_VECTOR_F32(symbol)                        \
    extern const espl__kernel espl__kernel_##symbol##_avx512; \
    extern const espl__kernel espl__kernel_##symbol##_avx2;   \
    extern const espl__kernel espl__kernel_##symbol##_plain;
#define ESPL_KERNEL_VECTOR(symbol)                          \
    extern const espl__kernel espl__kernel_##symbol##_bf16; \
    ESPL_KERNEL_VECTOR_F32(symbol)
#else
#define ESPL_KERNEL_VECTOR_F32(symbol) extern const espl__kernel espl__kernel_##symbol##_plain;
#define ESPL_KERNEL_VECTOR(symbol) ESPL_KERNEL_VECTOR_F32(symbol)
#endif
#ifdef ESPL__HAVE_ONEDNN
#define ESPL_KERNEL_ONEDNN(symbol) extern const espl__kernel espl__kernel_##symbol;
#else
#define ESPL_KERNEL_ONEDNN(symbol)
#endif
#include "kernels/kernels.def"
#undef ESPL_KERNEL
#undef ESPL_KERNEL_VECTOR_F32
#undef ESPL_KERNEL_VECTOR
#undef ESPL_KERNEL_ONEDNN

static const espl__kernel *const all[] = {
#define ESPL_KERNEL(symbol) &espl__kernel_##symbol,
#ifdef ESPL__HAVE_X86_VARIANTS
#define ESPL_KERNEL_VECTOR_F32(symbol) \
    &espl__kernel_##symbol##_avx512, &espl__kernel_##symbol##_avx2, &espl__kernel_##symbol##_plain,
#define ESPL_KERNEL_VECTOR(symbol) &espl__kernel_##symbol##_bf16, ESPL_KERNEL_VECTOR_F32(symbol)
#else
#define ESPL_KERNEL_VECTOR_F32(symbol) &espl__kernel_##symbol##_plain,
#define ESPL_KERNEL_VECTOR(symbol) ESPL_KERNEL_VECTOR_F32(symbol)
#endif
#ifdef ESPL__HAVE_ONEDNN
#define ESPL_KERNEL_ONEDNN(symbol) &espl__kernel_##symbol,
#else
#define ESPL_KERNEL_ONEDNN(symbol)
#endif
#include "kernels/kernels.def"
};

const espl__kernel *espl__kernel_at(int index)
{
    return index >= 0 && index < ESPL__COUNT(all) ? all[index] : NULL;
}

bool espl__kernel_fits(const espl__kernel *kernel, const espl__case *at)
{
    return kernel->bf16 == at->bf16 && kernel->fits(at);
}

espl__isa espl__isa_here(void)
{
#if defined(ESPL__HAVE_X86_VARIANTS) && defined(__GNUC__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return ESPL__ISA_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return ESPL__ISA_AVX2;
#endif
    return ESPL__ISA_PLAIN;
}

bool espl__bf16_here(void)
{
#if defined(ESPL__HAVE_X86_VARIANTS) && defined(__GNUC__)
    return espl__isa_here() == ESPL__ISA_AVX512 && __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}
