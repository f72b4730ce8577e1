	.file	"<string>"
	.section	.rodata.cst8,"aM",@progbits,8
	.p2align	3, 0x0
.LCPI0_0:
	.quad	0x4008000000000000
.LCPI0_1:
	.quad	0xc000000000000000
.LCPI0_2:
	.quad	0x4018000000000000
.LCPI0_3:
	.quad	0x3ff0000000000000
.LCPI0_4:
	.quad	0x3fe0000000000000
.LCPI0_5:
	.quad	0xbff0000000000000
.LCPI0_6:
	.quad	0x3e534a3270012a51
.LCPI0_7:
	.quad	0x3e70751a504d7fa9
.LCPI0_8:
	.quad	0xbe8497daf8b5e977
.LCPI0_9:
	.quad	0x3ea23e21946f3a34
.LCPI0_10:
	.quad	0xbec11c16d4a90ec3
.LCPI0_11:
	.quad	0x3edfaebbdf5ab637
.LCPI0_12:
	.quad	0xbefe52d64752499d
.LCPI0_13:
	.quad	0x3f1e84edcd653377
.LCPI0_14:
	.quad	0xbf4084e7d4fce78e
.LCPI0_15:
	.quad	0x3f64345156915805
.LCPI0_16:
	.quad	0xbf8fc34808ce46b5
.LCPI0_17:
	.quad	0x3fcfab19ac424eb6
.LCPI0_18:
	.quad	0x3fe8836fa2cf503e
.LCPI0_19:
	.quad	0x4000000000000000
	.section	.ltext,"axl",@progbits
	.globl	_ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE
	.p2align	4
	.type	_ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE,@function
_ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	pushq	%r15
	.cfi_def_cfa_offset 24
	pushq	%r14
	.cfi_def_cfa_offset 32
	pushq	%r13
	.cfi_def_cfa_offset 40
	pushq	%r12
	.cfi_def_cfa_offset 48
	pushq	%rbx
	.cfi_def_cfa_offset 56
	.cfi_offset %rbx, -56
	.cfi_offset %r12, -48
	.cfi_offset %r13, -40
	.cfi_offset %r14, -32
	.cfi_offset %r15, -24
	.cfi_offset %rbp, -16
	movq	72(%rsp), %rsi
	movq	56(%rsp), %rcx
	movq	128(%rsp), %rax
	movq	%rdi, -8(%rsp)
	movq	%rsi, %r11
	shlq	$5, %r11
	leaq	(%rsi,%rsi,2), %rdi
	movq	%rsi, %r15
	shlq	$4, %r15
	leaq	768(%rax), %r12
	leaq	(%rsi,%rsi,4), %rbx
	leaq	512(%rcx,%rsi,8), %rbp
	leaq	(%rcx,%rsi,8), %rdx
	leaq	(%rcx,%r11), %r10
	leaq	512(%rcx,%r11), %r11
	leaq	(%rcx,%r15), %rsi
	leaq	512(%rcx,%r15), %r14
	leaq	(%rcx,%rdi,8), %r8
	leaq	512(%rcx,%rdi,8), %rdi
	leaq	(%rcx,%rbx,8), %r9
	leaq	512(%rcx,%rbx,8), %rbx
	cmpq	%r11, %rax
	leaq	512(%rcx), %r11
	setb	-9(%rsp)
	cmpq	%r12, %r10
	setb	-10(%rsp)
	cmpq	%rdi, %rax
	setb	%r13b
	cmpq	%r12, %r8
	setb	%dil
	cmpq	%rbp, %rax
	setb	%r15b
	cmpq	%r12, %rdx
	setb	-11(%rsp)
	cmpq	%rbx, %rax
	setb	%bpl
	cmpq	%r12, %r9
	setb	-12(%rsp)
	cmpq	%r14, %rax
	setb	%bl
	cmpq	%r12, %rsi
	setb	-13(%rsp)
	cmpq	%r11, %rax
	setb	%r11b
	cmpq	%r12, %rcx
	movzbl	-10(%rsp), %r12d
	setb	%r14b
	testb	%r12b, -9(%rsp)
	jne	.LBB0_11
	andb	%dil, %r13b
	jne	.LBB0_11
	andb	-11(%rsp), %r15b
	jne	.LBB0_11
	andb	-12(%rsp), %bpl
	jne	.LBB0_11
	andb	-13(%rsp), %bl
	jne	.LBB0_11
	andb	%r14b, %r11b
	jne	.LBB0_11
	movabsq	$.LCPI0_1, %r14
	movabsq	$.LCPI0_2, %rbx
	movabsq	$.LCPI0_0, %rdi
	xorl	%r11d, %r11d
	vxorpd	%xmm18, %xmm18, %xmm18
	vbroadcastsd	(%r14), %zmm1
	vbroadcastsd	(%rbx), %zmm2
	movabsq	$.LCPI0_3, %r14
	movabsq	$.LCPI0_4, %rbx
	vbroadcastsd	(%rdi), %zmm0
	vbroadcastsd	(%r14), %zmm3
	vbroadcastsd	(%rbx), %zmm4
	movabsq	$.LCPI0_5, %r14
	movabsq	$.LCPI0_6, %rbx
	vbroadcastsd	(%r14), %zmm5
	vbroadcastsd	(%rbx), %zmm6
	movabsq	$.LCPI0_7, %r14
	movabsq	$.LCPI0_8, %rbx
	vbroadcastsd	(%r14), %zmm7
	vbroadcastsd	(%rbx), %zmm8
	movabsq	$.LCPI0_9, %r14
	movabsq	$.LCPI0_10, %rbx
	vbroadcastsd	(%r14), %zmm9
	vbroadcastsd	(%rbx), %zmm10
	movabsq	$.LCPI0_11, %r14
	movabsq	$.LCPI0_12, %rbx
	vbroadcastsd	(%r14), %zmm11
	vbroadcastsd	(%rbx), %zmm12
	movabsq	$.LCPI0_13, %r14
	movabsq	$.LCPI0_14, %rbx
	vbroadcastsd	(%r14), %zmm13
	vbroadcastsd	(%rbx), %zmm14
	movabsq	$.LCPI0_15, %r14
	movabsq	$.LCPI0_16, %rbx
	vbroadcastsd	(%r14), %zmm15
	vbroadcastsd	(%rbx), %zmm16
	movabsq	$.LCPI0_17, %r14
	movabsq	$.LCPI0_18, %rbx
	vbroadcastsd	(%r14), %zmm17
	vbroadcastsd	(%rbx), %zmm19
	.p2align	4
.LBB0_7:
	vmovupd	(%rcx,%r11,2), %zmm21
	vmovupd	(%rsi,%r11,2), %zmm22
	vmovupd	(%r9,%r11,2), %zmm23
	vmovupd	(%r8,%r11,2), %zmm26
	vmovupd	(%rdx,%r11,2), %zmm25
	vmovupd	(%r10,%r11,2), %zmm27
	vaddpd	%zmm22, %zmm21, %zmm20
	vmulpd	%zmm26, %zmm26, %zmm28
	vaddpd	%zmm23, %zmm20, %zmm20
	vfmadd231pd	%zmm25, %zmm25, %zmm28
	vdivpd	%zmm0, %zmm20, %zmm20
	vfmadd231pd	%zmm27, %zmm27, %zmm28
	vsubpd	%zmm20, %zmm22, %zmm22
	vsubpd	%zmm20, %zmm21, %zmm24
	vsubpd	%zmm20, %zmm23, %zmm23
	vmulpd	%zmm22, %zmm22, %zmm21
	vfmadd231pd	%zmm24, %zmm24, %zmm21
	vfmadd231pd	%zmm23, %zmm23, %zmm21
	vfnmadd213pd	%zmm21, %zmm1, %zmm28
	vdivpd	%zmm2, %zmm28, %zmm28
	vsqrtpd	%zmm28, %zmm21
	vcmpltpd	%zmm28, %zmm18, %k1
	vdivpd	%zmm21, %zmm3, %zmm28 {%k1} {z}
	vmulpd	%zmm28, %zmm26, %zmm26
	vmulpd	%zmm28, %zmm27, %zmm27
	vmulpd	%zmm28, %zmm23, %zmm23
	vmulpd	%zmm28, %zmm25, %zmm25
	vmulpd	%zmm28, %zmm24, %zmm24
	vmulpd	%zmm28, %zmm22, %zmm22
	vmulpd	%zmm26, %zmm27, %zmm29
	vmulpd	%zmm27, %zmm27, %zmm28
	vfmsub231pd	%zmm23, %zmm25, %zmm29
	vfmsub231pd	%zmm23, %zmm22, %zmm28
	vmulpd	%zmm26, %zmm22, %zmm22
	vfmsub231pd	%zmm27, %zmm25, %zmm22
	vmulpd	%zmm29, %zmm25, %zmm23
	vmulpd	%zmm1, %zmm21, %zmm25
	vaddpd	%zmm21, %zmm21, %zmm21
	vfmsub231pd	%zmm28, %zmm24, %zmm23
	vmovapd	%zmm6, %zmm24
	vfmadd213pd	%zmm23, %zmm26, %zmm22
	vmovapd	%zmm3, %zmm23
	vmulpd	%zmm4, %zmm22, %zmm22
	vcmpnltpd	%zmm22, %zmm3, %k1
	vmaxpd	%zmm22, %zmm5, %zmm23 {%k1}
	vaddpd	%zmm3, %zmm23, %zmm22
	vsubpd	%zmm23, %zmm3, %zmm23
	vmulpd	%zmm4, %zmm22, %zmm22
	vsqrtpd	%zmm22, %zmm22
	vfnmadd213pd	%zmm5, %zmm1, %zmm22
	vfnmadd213pd	%zmm7, %zmm22, %zmm24
	vfmadd213pd	%zmm8, %zmm22, %zmm24
	vfmadd213pd	%zmm9, %zmm22, %zmm24
	vfmadd213pd	%zmm10, %zmm22, %zmm24
	vfmadd213pd	%zmm11, %zmm22, %zmm24
	vfmadd213pd	%zmm12, %zmm22, %zmm24
	vfmadd213pd	%zmm13, %zmm22, %zmm24
	vfmadd213pd	%zmm14, %zmm22, %zmm24
	vfmadd213pd	%zmm15, %zmm22, %zmm24
	vfmadd213pd	%zmm16, %zmm22, %zmm24
	vfmadd213pd	%zmm17, %zmm22, %zmm24
	vfmadd213pd	%zmm19, %zmm22, %zmm24
	vmulpd	%zmm4, %zmm23, %zmm22
	vmovapd	%zmm6, %zmm23
	vsqrtpd	%zmm22, %zmm22
	vmulpd	%zmm24, %zmm21, %zmm21
	vfnmadd213pd	%zmm5, %zmm1, %zmm22
	vfnmadd213pd	%zmm7, %zmm22, %zmm23
	vfmadd213pd	%zmm8, %zmm22, %zmm23
	vfmadd213pd	%zmm9, %zmm22, %zmm23
	vfmadd213pd	%zmm10, %zmm22, %zmm23
	vfmadd213pd	%zmm11, %zmm22, %zmm23
	vfmadd213pd	%zmm12, %zmm22, %zmm23
	vfmadd213pd	%zmm13, %zmm22, %zmm23
	vfmadd213pd	%zmm14, %zmm22, %zmm23
	vfmadd213pd	%zmm15, %zmm22, %zmm23
	vfmadd213pd	%zmm16, %zmm22, %zmm23
	vfmadd213pd	%zmm17, %zmm22, %zmm23
	vfmadd213pd	%zmm19, %zmm22, %zmm23
	vmulpd	%zmm23, %zmm25, %zmm22
	vaddpd	%zmm21, %zmm20, %zmm23
	vsubpd	%zmm21, %zmm20, %zmm21
	vsubpd	%zmm22, %zmm21, %zmm21
	vaddpd	%zmm22, %zmm20, %zmm20
	vcvtpd2ps	%zmm23, %ymm23
	vcvtpd2ps	%zmm21, %ymm21
	vcvtpd2ps	%zmm20, %ymm20
	vmovups	%ymm23, (%rax,%r11)
	vmovups	%ymm21, 256(%rax,%r11)
	vmovups	%ymm20, 512(%rax,%r11)
	addq	$32, %r11
	cmpq	$256, %r11
	jne	.LBB0_7
.LBB0_8:
	movq	-8(%rsp), %rax
	movq	$0, (%rax)
	xorl	%eax, %eax
	popq	%rbx
	.cfi_def_cfa_offset 48
	popq	%r12
	.cfi_def_cfa_offset 40
	popq	%r13
	.cfi_def_cfa_offset 32
	popq	%r14
	.cfi_def_cfa_offset 24
	popq	%r15
	.cfi_def_cfa_offset 16
	popq	%rbp
	.cfi_def_cfa_offset 8
	vzeroupper
	retq
.LBB0_11:
	.cfi_def_cfa_offset 56
	movabsq	$.LCPI0_19, %rbx
	movabsq	$.LCPI0_2, %r14
	movabsq	$.LCPI0_0, %rdi
	xorl	%r11d, %r11d
	vmovsd	(%rbx), %xmm1
	movabsq	$.LCPI0_3, %rbx
	vmovsd	(%r14), %xmm2
	movabsq	$.LCPI0_4, %r14
	vmovsd	(%rdi), %xmm0
	vmovsd	(%rbx), %xmm3
	movabsq	$.LCPI0_5, %rbx
	vmovsd	(%r14), %xmm4
	movabsq	$.LCPI0_7, %r14
	vmovsd	(%rbx), %xmm5
	movabsq	$.LCPI0_6, %rbx
	vmovsd	(%r14), %xmm6
	movabsq	$.LCPI0_8, %r14
	vmovsd	(%rbx), %xmm7
	movabsq	$.LCPI0_9, %rbx
	vmovsd	(%r14), %xmm8
	movabsq	$.LCPI0_10, %r14
	vmovsd	(%rbx), %xmm9
	movabsq	$.LCPI0_11, %rbx
	vmovsd	(%r14), %xmm10
	movabsq	$.LCPI0_12, %r14
	vmovsd	(%rbx), %xmm11
	movabsq	$.LCPI0_13, %rbx
	vmovsd	(%r14), %xmm12
	movabsq	$.LCPI0_14, %r14
	vmovsd	(%rbx), %xmm13
	movabsq	$.LCPI0_15, %rbx
	vmovsd	(%r14), %xmm14
	movabsq	$.LCPI0_16, %r14
	vmovsd	(%rbx), %xmm15
	movabsq	$.LCPI0_17, %rbx
	vmovsd	(%r14), %xmm16
	movabsq	$.LCPI0_18, %r14
	vmovsd	(%rbx), %xmm17
	movabsq	$.LCPI0_1, %rbx
	vmovsd	(%r14), %xmm18
	vmovsd	(%rbx), %xmm19
	jmp	.LBB0_12
	.p2align	4
.LBB0_15:
	vaddsd	%xmm3, %xmm22, %xmm23
	vmovapd	%xmm7, %xmm24
	vsubsd	%xmm22, %xmm3, %xmm22
	vmulsd	%xmm4, %xmm23, %xmm23
	vmulsd	%xmm4, %xmm22, %xmm22
	vsqrtsd	%xmm23, %xmm23, %xmm23
	vsqrtsd	%xmm22, %xmm22, %xmm22
	vfmadd213sd	%xmm5, %xmm1, %xmm23
	vfmadd213sd	%xmm5, %xmm1, %xmm22
	vfnmadd213sd	%xmm6, %xmm23, %xmm24
	vfmadd213sd	%xmm8, %xmm23, %xmm24
	vfmadd213sd	%xmm9, %xmm23, %xmm24
	vfmadd213sd	%xmm10, %xmm23, %xmm24
	vfmadd213sd	%xmm11, %xmm23, %xmm24
	vfmadd213sd	%xmm12, %xmm23, %xmm24
	vfmadd213sd	%xmm13, %xmm23, %xmm24
	vfmadd213sd	%xmm14, %xmm23, %xmm24
	vfmadd213sd	%xmm15, %xmm23, %xmm24
	vfmadd213sd	%xmm16, %xmm23, %xmm24
	vfmadd213sd	%xmm17, %xmm23, %xmm24
	vfmadd213sd	%xmm18, %xmm23, %xmm24
	vmovapd	%xmm7, %xmm23
	vfnmadd213sd	%xmm6, %xmm22, %xmm23
	vfmadd213sd	%xmm8, %xmm22, %xmm23
	vfmadd213sd	%xmm9, %xmm22, %xmm23
	vfmadd213sd	%xmm10, %xmm22, %xmm23
	vfmadd213sd	%xmm11, %xmm22, %xmm23
	vfmadd213sd	%xmm12, %xmm22, %xmm23
	vfmadd213sd	%xmm13, %xmm22, %xmm23
	vfmadd213sd	%xmm14, %xmm22, %xmm23
	vfmadd213sd	%xmm15, %xmm22, %xmm23
	vfmadd213sd	%xmm16, %xmm22, %xmm23
	vfmadd213sd	%xmm17, %xmm22, %xmm23
	vfmadd213sd	%xmm18, %xmm22, %xmm23
	vmulsd	%xmm19, %xmm21, %xmm22
	vaddsd	%xmm21, %xmm21, %xmm21
	vmulsd	%xmm24, %xmm21, %xmm21
	vmulsd	%xmm23, %xmm22, %xmm22
	vaddsd	%xmm21, %xmm20, %xmm23
	vsubsd	%xmm21, %xmm20, %xmm21
	vaddsd	%xmm22, %xmm20, %xmm20
	vsubsd	%xmm22, %xmm21, %xmm21
	vcvtsd2ss	%xmm23, %xmm23, %xmm23
	vcvtsd2ss	%xmm20, %xmm20, %xmm20
	vcvtsd2ss	%xmm21, %xmm21, %xmm21
	vmovss	%xmm23, (%rax,%r11)
	vmovss	%xmm21, 256(%rax,%r11)
	vmovss	%xmm20, 512(%rax,%r11)
	addq	$4, %r11
	cmpq	$256, %r11
	je	.LBB0_8
.LBB0_12:
	vmovsd	(%rcx,%r11,2), %xmm21
	vmovsd	(%rsi,%r11,2), %xmm23
	vmovsd	(%r9,%r11,2), %xmm24
	vmovsd	(%r8,%r11,2), %xmm26
	vmovsd	(%rdx,%r11,2), %xmm25
	vmovsd	(%r10,%r11,2), %xmm27
	vaddsd	%xmm23, %xmm21, %xmm20
	vmulsd	%xmm26, %xmm26, %xmm28
	vaddsd	%xmm24, %xmm20, %xmm20
	vfmadd231sd	%xmm25, %xmm25, %xmm28
	vdivsd	%xmm0, %xmm20, %xmm20
	vfmadd231sd	%xmm27, %xmm27, %xmm28
	vsubsd	%xmm20, %xmm23, %xmm23
	vsubsd	%xmm20, %xmm21, %xmm22
	vsubsd	%xmm20, %xmm24, %xmm24
	vmulsd	%xmm23, %xmm23, %xmm21
	vfmadd231sd	%xmm22, %xmm22, %xmm21
	vfmadd231sd	%xmm24, %xmm24, %xmm21
	vfmadd132sd	%xmm1, %xmm21, %xmm28
	vdivsd	%xmm2, %xmm28, %xmm29
	vxorpd	%xmm28, %xmm28, %xmm28
	vsqrtsd	%xmm29, %xmm29, %xmm21
	vucomisd	%xmm28, %xmm29
	jbe	.LBB0_14
	vdivsd	%xmm21, %xmm3, %xmm28
.LBB0_14:
	vmulsd	%xmm28, %xmm26, %xmm26
	vmulsd	%xmm28, %xmm27, %xmm27
	vmulsd	%xmm28, %xmm24, %xmm24
	vmulsd	%xmm28, %xmm25, %xmm25
	vmulsd	%xmm28, %xmm22, %xmm22
	vmulsd	%xmm28, %xmm23, %xmm23
	vmulsd	%xmm26, %xmm27, %xmm29
	vmulsd	%xmm27, %xmm27, %xmm28
	vfmsub231sd	%xmm24, %xmm25, %xmm29
	vfmsub231sd	%xmm24, %xmm23, %xmm28
	vmulsd	%xmm29, %xmm25, %xmm24
	vfmsub231sd	%xmm28, %xmm22, %xmm24
	vmulsd	%xmm26, %xmm23, %xmm22
	vfmsub231sd	%xmm27, %xmm25, %xmm22
	vfmadd213sd	%xmm24, %xmm26, %xmm22
	vmulsd	%xmm4, %xmm22, %xmm23
	vmovapd	%xmm3, %xmm22
	vucomisd	%xmm3, %xmm23
	ja	.LBB0_15
	vucomisd	%xmm23, %xmm5
	vmovapd	%xmm5, %xmm22
	ja	.LBB0_15
	vmovapd	%xmm23, %xmm22
	jmp	.LBB0_15
.Lfunc_end0:
	.size	_ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE, .Lfunc_end0-_ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE
	.cfi_endproc

	.globl	_ZN7cpython8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE
	.p2align	4
	.type	_ZN7cpython8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE,@function
_ZN7cpython8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	pushq	%r15
	.cfi_def_cfa_offset 24
	pushq	%r14
	.cfi_def_cfa_offset 32
	pushq	%r13
	.cfi_def_cfa_offset 40
	pushq	%r12
	.cfi_def_cfa_offset 48
	pushq	%rbx
	.cfi_def_cfa_offset 56
	subq	$264, %rsp
	.cfi_def_cfa_offset 320
	.cfi_offset %rbx, -56
	.cfi_offset %r12, -48
	.cfi_offset %r13, -40
	.cfi_offset %r14, -32
	.cfi_offset %r15, -24
	.cfi_offset %rbp, -16
	movq	%rsi, %rdi
	movabsq	$.const.eigenvalues_3d, %rsi
	movabsq	$PyArg_UnpackTuple, %r10
	leaq	112(%rsp), %r8
	leaq	104(%rsp), %r9
	movl	$2, %edx
	movl	$2, %ecx
	xorl	%eax, %eax
	xorl	%ebx, %ebx
	callq	*%r10
	testl	%eax, %eax
	je	.LBB1_8
	movabsq	$_ZN08NumbaEnv8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE, %rax
	cmpq	$0, (%rax)
	je	.LBB1_13
	movq	112(%rsp), %rdi
	movabsq	$NRT_adapt_ndarray_from_python, %r14
	leaq	192(%rsp), %rsi
	vxorps	%xmm0, %xmm0, %xmm0
	vmovups	%zmm0, 192(%rsp)
	movq	$0, 256(%rsp)
	vzeroupper
	callq	*%r14
	cmpq	$8, 216(%rsp)
	setne	%cl
	testl	%eax, %eax
	setne	%bl
	orb	%cl, %bl
	cmpb	$1, %bl
	je	.LBB1_14
	testb	%bl, %bl
	jne	.LBB1_15
.LBB1_4:
	movq	104(%rsp), %rdi
	movq	192(%rsp), %rbx
	movq	224(%rsp), %r12
	movq	240(%rsp), %r13
	leaq	128(%rsp), %rsi
	vxorps	%xmm0, %xmm0, %xmm0
	vmovups	%ymm0, 128(%rsp)
	vmovups	%ymm0, 152(%rsp)
	vzeroupper
	callq	*%r14
	testl	%eax, %eax
	jne	.LBB1_16
	cmpq	$4, 152(%rsp)
	jne	.LBB1_16
	movq	128(%rsp), %r14
	movq	160(%rsp), %rbp
	movabsq	$PyEval_SaveThread, %rax
	callq	*%rax
	movq	%rax, %r15
	movabsq	$_ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE, %rax
	leaq	120(%rsp), %rdi
	movq	%rbx, %rdx
	movq	%rbp, 72(%rsp)
	movq	%r14, 40(%rsp)
	movq	%r13, 16(%rsp)
	movq	%r12, (%rsp)
	callq	*%rax
	movabsq	$PyEval_RestoreThread, %r12
	movq	%r15, %rdi
	movl	%eax, %ebp
	callq	*%r12
	movabsq	$NRT_decref, %r15
	movq	%rbx, %rdi
	callq	*%r15
	movq	%r14, %rdi
	callq	*%r15
	testl	%ebp, %ebp
	jne	.LBB1_9
	movabsq	$_Py_NoneStruct, %rbx
	movabsq	$Py_IncRef, %rax
	movq	%rbx, %rdi
	callq	*%rax
.LBB1_8:
	movq	%rbx, %rax
	addq	$264, %rsp
	.cfi_def_cfa_offset 56
	popq	%rbx
	.cfi_def_cfa_offset 48
	popq	%r12
	.cfi_def_cfa_offset 40
	popq	%r13
	.cfi_def_cfa_offset 32
	popq	%r14
	.cfi_def_cfa_offset 24
	popq	%r15
	.cfi_def_cfa_offset 16
	popq	%rbp
	.cfi_def_cfa_offset 8
	retq
.LBB1_9:
	.cfi_def_cfa_offset 320
	jg	.LBB1_21
	cmpl	$-1, %ebp
	je	.LBB1_15
	cmpl	$-3, %ebp
	jne	.LBB1_19
	movabsq	$PyExc_StopIteration, %rdi
	movabsq	$PyErr_SetNone, %rax
	jmp	.LBB1_17
.LBB1_13:
	movabsq	$PyExc_RuntimeError, %rdi
	movabsq	$".const.missing Environment: _ZN08NumbaEnv8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE", %rsi
	jmp	.LBB1_20
.LBB1_14:
	movabsq	$PyExc_TypeError, %rdi
	movabsq	$".const.can't unbox array from PyObject into native value.  The object maybe of a different type", %rsi
	movabsq	$PyErr_SetString, %rax
	callq	*%rax
	testb	%bl, %bl
	je	.LBB1_4
	jmp	.LBB1_15
.LBB1_16:
	movabsq	$PyExc_TypeError, %rdi
	movabsq	$".const.can't unbox array from PyObject into native value.  The object maybe of a different type", %rsi
	movabsq	$PyErr_SetString, %rax
	callq	*%rax
	movabsq	$NRT_decref, %rax
	movq	%rbx, %rdi
.LBB1_17:
	callq	*%rax
.LBB1_15:
	xorl	%ebx, %ebx
	jmp	.LBB1_8
.LBB1_19:
	movabsq	$PyExc_SystemError, %rdi
	movabsq	$".const.unknown error when calling native function", %rsi
.LBB1_20:
	movabsq	$PyErr_SetString, %rax
	callq	*%rax
	xorl	%ebx, %ebx
	jmp	.LBB1_8
.LBB1_21:
	movabsq	$PyErr_Clear, %rax
	callq	*%rax
.Lfunc_end1:
	.size	_ZN7cpython8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE, .Lfunc_end1-_ZN7cpython8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE
	.cfi_endproc

	.globl	cfunc._ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE
	.p2align	4
	.type	cfunc._ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE,@function
cfunc._ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE:
	.cfi_startproc
	pushq	%r14
	.cfi_def_cfa_offset 16
	pushq	%rbx
	.cfi_def_cfa_offset 24
	subq	$120, %rsp
	.cfi_def_cfa_offset 144
	.cfi_offset %rbx, -24
	.cfi_offset %r14, -16
	movq	144(%rsp), %rax
	movq	168(%rsp), %rcx
	movq	200(%rsp), %rsi
	movq	%rdi, %rdx
	leaq	112(%rsp), %rdi
	movq	$0, 112(%rsp)
	movq	%r8, (%rsp)
	movq	%rax, 16(%rsp)
	movabsq	$_ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE, %rax
	movq	%rsi, 72(%rsp)
	movq	%rcx, 40(%rsp)
	callq	*%rax
	movq	112(%rsp), %rcx
	movl	$0, 108(%rsp)
	testl	%eax, %eax
	jne	.LBB2_1
.LBB2_5:
	movq	%rcx, %rax
	addq	$120, %rsp
	.cfi_def_cfa_offset 24
	popq	%rbx
	.cfi_def_cfa_offset 16
	popq	%r14
	.cfi_def_cfa_offset 8
	retq
.LBB2_1:
	.cfi_def_cfa_offset 144
	movq	%rcx, %r14
	movabsq	$numba_gil_ensure, %rcx
	leaq	108(%rsp), %rdi
	movl	%eax, %ebx
	callq	*%rcx
	testl	%ebx, %ebx
	jg	.LBB2_2
	movl	%ebx, %eax
	cmpl	$-1, %ebx
	je	.LBB2_4
	cmpl	$-3, %eax
	jne	.LBB2_3
	movabsq	$PyExc_StopIteration, %rdi
	movabsq	$PyErr_SetNone, %rax
	callq	*%rax
	jmp	.LBB2_4
.LBB2_3:
	movabsq	$PyExc_SystemError, %rdi
	movabsq	$".const.unknown error when calling native function.2", %rsi
	movabsq	$PyErr_SetString, %rax
	callq	*%rax
.LBB2_4:
	movabsq	$".const.<numba.core.cpu.CPUContext>", %rdi
	movabsq	$PyUnicode_FromString, %rax
	callq	*%rax
	movq	%rax, %rbx
	movabsq	$PyErr_WriteUnraisable, %rax
	movq	%rbx, %rdi
	callq	*%rax
	movabsq	$Py_DecRef, %rax
	movq	%rbx, %rdi
	callq	*%rax
	movabsq	$numba_gil_release, %rax
	leaq	108(%rsp), %rdi
	callq	*%rax
	movq	%r14, %rcx
	jmp	.LBB2_5
.LBB2_2:
	movabsq	$PyErr_Clear, %rax
	callq	*%rax
.Lfunc_end2:
	.size	cfunc._ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE, .Lfunc_end2-cfunc._ZN8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE
	.cfi_endproc

	.weak	NRT_incref
	.p2align	4
	.type	NRT_incref,@function
NRT_incref:
	testq	%rdi, %rdi
	je	.LBB3_2
	lock		incq	(%rdi)
.LBB3_2:
	retq
.Lfunc_end3:
	.size	NRT_incref, .Lfunc_end3-NRT_incref

	.weak	NRT_decref
	.p2align	4
	.type	NRT_decref,@function
NRT_decref:
	.cfi_startproc
	testq	%rdi, %rdi
	je	.LBB4_2
	#MEMBARRIER
	lock		decq	(%rdi)
	je	.LBB4_3
.LBB4_2:
	retq
.LBB4_3:
	movabsq	$NRT_MemInfo_call_dtor, %rax
	#MEMBARRIER
	jmpq	*%rax
.Lfunc_end4:
	.size	NRT_decref, .Lfunc_end4-NRT_decref
	.cfi_endproc

	.type	.const.eigenvalues_3d,@object
	.section	.lrodata,"al",@progbits
.const.eigenvalues_3d:
	.asciz	"eigenvalues_3d"
	.size	.const.eigenvalues_3d, 15

	.type	_ZN08NumbaEnv8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE,@object
	.comm	_ZN08NumbaEnv8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE,8,8
	.type	".const.missing Environment: _ZN08NumbaEnv8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE",@object
	.p2align	4, 0x0
".const.missing Environment: _ZN08NumbaEnv8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE":
	.asciz	"missing Environment: _ZN08NumbaEnv8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE"
	.size	".const.missing Environment: _ZN08NumbaEnv8objclass6pixels7kernels7filters14eigenvalues_3dB3v17B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dE5ArrayIdLi2E1C7mutable7alignedE5ArrayIfLi1E1C7mutable7alignedE", 240

	.type	".const.can't unbox array from PyObject into native value.  The object maybe of a different type",@object
	.p2align	4, 0x0
".const.can't unbox array from PyObject into native value.  The object maybe of a different type":
	.asciz	"can't unbox array from PyObject into native value.  The object maybe of a different type"
	.size	".const.can't unbox array from PyObject into native value.  The object maybe of a different type", 89

	.type	".const.unknown error when calling native function",@object
	.p2align	4, 0x0
".const.unknown error when calling native function":
	.asciz	"unknown error when calling native function"
	.size	".const.unknown error when calling native function", 43

	.type	".const.unknown error when calling native function.2",@object
	.p2align	4, 0x0
".const.unknown error when calling native function.2":
	.asciz	"unknown error when calling native function"
	.size	".const.unknown error when calling native function.2", 43

	.type	".const.<numba.core.cpu.CPUContext>",@object
	.p2align	4, 0x0
".const.<numba.core.cpu.CPUContext>":
	.asciz	"<numba.core.cpu.CPUContext>"
	.size	".const.<numba.core.cpu.CPUContext>", 28

	.type	_ZN08NumbaEnv8objclass6pixels7kernels7filters15cosine_of_thirdB2v8B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dEd,@object
	.comm	_ZN08NumbaEnv8objclass6pixels7kernels7filters15cosine_of_thirdB2v8B86c8tJTIeFIjxB2IKSgI4CrvQCk0Z4yRYcWsCAgXrKFt1X1erJ_2bXklRYnJJeq1msDALYIZgpSqwCKaAA_3d_3dEd,8,8
	.section	".note.GNU-stack","",@progbits
